import { Controller, Get, Req, Res } from '@nestjs/common';
import { FileDesk } from '../http/file-desk';
import type { HttpRequest, HttpResponse } from '../http/http-message';

/** What boot programs ask for by names of their own. */
@Controller()
export class LoaderController {
  constructor(private readonly desk: FileDesk) {}

  @Get(['pxelinux.cfg/:name', ':folder/pxelinux.cfg/:name', 'grub/*path', ':folder/grub/*path'])
  config(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return this.desk.program(request, response);
  }

  /** A Raspberry Pi's overlays lie in a folder of their own. */
  @Get(':folder/overlays/:file')
  overlay(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return this.desk.program(request, response);
  }
}
