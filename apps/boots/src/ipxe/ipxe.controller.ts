import { Controller, Get, Header, Param, Query, Req } from '@nestjs/common';
import { type HttpRequest, peerOf } from '../http/http-message';
import { ScriptDesk } from './script-desk';

@Controller()
export class IpxeController {
  constructor(private readonly desk: ScriptDesk) {}

  @Get('auto.ipxe')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-store')
  byAddress(@Req() request: HttpRequest, @Query('ticket') ticket: unknown): Promise<string> {
    return this.desk.script(peerOf(request), undefined, textOf(ticket));
  }

  @Get(':mac/auto.ipxe')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-store')
  byMac(@Req() request: HttpRequest, @Param('mac') mac: string, @Query('ticket') ticket: unknown): Promise<string> {
    return this.desk.script(peerOf(request), mac, textOf(ticket));
  }
}

/** Given twice, a parameter is a list. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
