import { Controller, Get, Header, Res } from '@nestjs/common';
import { sendJson, type HttpResponse } from './http/http-message';
import { Metrics } from './metrics';
import { ReadSide } from './read-side';
import { Site } from './site';

/** What anybody may see. */
@Controller()
export class SiteController {
  constructor(
    private readonly site: Site,
    private readonly metrics: Metrics,
    private readonly reads: ReadSide,
  ) {}

  /** PEM of the authority that signed this server, NATS and the registry. */
  @Get('cert')
  @Header('Content-Type', 'application/x-pem-file')
  cert(): string {
    return this.site.ca;
  }

  @Get('version')
  version(): unknown {
    return { git_rev: this.site.version, version: this.site.version, service_name: 'tink-server' };
  }

  @Get('healthz')
  async health(@Res() response: HttpResponse): Promise<void> {
    const { healthy, ...rest } = await this.site.health(this.reads);
    sendJson(response, healthy ? 200 : 503, { healthy, ...rest });
  }

  @Get('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  metricsText(): string {
    return this.metrics.text();
  }
}
