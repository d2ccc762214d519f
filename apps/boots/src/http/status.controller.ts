import { Controller, Get, Header, Res } from '@nestjs/common';
import type { HttpResponse } from './http-message';
import { Status, type HealthReport } from './status';

@Controller()
export class StatusController {
  constructor(private readonly status: Status) {}

  @Get(['healthz', 'healthcheck'])
  async health(@Res({ passthrough: true }) response: HttpResponse): Promise<HealthReport> {
    const report = await this.status.health();
    response.statusCode = report.status === 'ok' ? 200 : 503;
    return report;
  }

  @Get('version')
  version(): { readonly version: string; readonly service_name: string } {
    return { version: this.status.version, service_name: 'boots' };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): string {
    return this.status.text();
  }
}
