import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { HttpRequest } from '../http/http-message';
import { PhoneHomeDesk } from './phone-home-desk';

@Controller()
export class PhoneHomeController {
  constructor(private readonly desk: PhoneHomeDesk) {}

  @Post('phone-home')
  @HttpCode(200)
  take(@Req() request: HttpRequest): Promise<void> {
    return this.desk.take(request);
  }
}
