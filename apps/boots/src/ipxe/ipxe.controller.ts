import { Controller, Get, Header, Param, Query, Req } from '@nestjs/common';
import { type HttpRequest, peerOf } from '../http/http-message';
import { ScriptDesk, type ScriptQuery } from './script-desk';

type Given = Readonly<Record<string, unknown>>;

@Controller()
export class IpxeController {
  constructor(private readonly desk: ScriptDesk) {}

  @Get('auto.ipxe')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-store')
  byAddress(@Req() request: HttpRequest, @Query() query: Given): Promise<string> {
    return this.desk.script(peerOf(request), undefined, read(query));
  }

  @Get(':mac/auto.ipxe')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-store')
  byMac(@Req() request: HttpRequest, @Param('mac') mac: string, @Query() query: Given): Promise<string> {
    return this.desk.script(peerOf(request), mac, read(query));
  }
}

/** Given twice, a parameter is a list, and as good as none. */
function read({ ticket, network }: Given): ScriptQuery {
  return { ticket: typeof ticket === 'string' ? ticket : undefined, isStatic: network === 'static' };
}
