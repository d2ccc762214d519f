import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { HttpRequest } from '../http/http-message';
import { DiscoveryDesk } from './discovery-desk';

@Controller()
export class DiscoveryController {
  constructor(private readonly desk: DiscoveryDesk) {}

  @Post('discovery/:mac')
  @HttpCode(200)
  take(@Req() request: HttpRequest, @Param('mac') mac: string): Promise<void> {
    return this.desk.take(request, mac);
  }
}
