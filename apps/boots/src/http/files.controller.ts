import { Controller, Get, Req, Res } from '@nestjs/common';
import { FileDesk } from './file-desk';
import type { HttpRequest, HttpResponse } from './http-message';

@Controller()
export class FilesController {
  constructor(private readonly desk: FileDesk) {}

  @Get('osie/*path')
  osie(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return this.desk.osie(request, response);
  }

  @Get('images/*path')
  image(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return this.desk.image(request, response);
  }

  @Get('cache/:digest/*url')
  cached(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return this.desk.cached(request, response);
  }

  // Last: they take every path of one or two parts that is left.
  @Get([':file', ':mac/:file'])
  program(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return this.desk.program(request, response);
  }
}
