import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { IsoDesk } from './iso-desk';

@Controller()
export class IsoController {
  constructor(private readonly desk: IsoDesk) {}

  /** BMCs want a name that ends in .iso; which one is all the same. */
  @Get('iso/:mac/:name.iso')
  send(@Req() request: HttpRequest, @Res() response: HttpResponse, @Param('mac') mac: string): Promise<void> {
    return this.desk.send(request, response, mac);
  }
}
