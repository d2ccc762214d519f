import { Controller, Get, Header, Res } from '@nestjs/common';
import { HegelConfig } from './hegel.config';
import { healthReport, SourceHealth, type HealthReport } from './health';
import { HardwareCount } from './hegel-ports';
import { RequestMetrics } from './metrics';

interface StatusSetter {
  status(code: number): unknown;
}

@Controller()
export class HealthController {
  constructor(
    private readonly config: HegelConfig,
    private readonly source: SourceHealth,
    private readonly metrics: RequestMetrics,
    private readonly hardware: HardwareCount,
  ) {}

  @Get(['_packet/healthcheck', 'healthz'])
  health(@Res({ passthrough: true }) response: StatusSetter): HealthReport {
    const report = healthReport(this.config.GIT_REV, this.source);
    response.status(report.cacher_status ? 200 : 500);
    return report;
  }

  @Get('_packet/version')
  version(): { readonly git_rev: string; readonly service_name: string } {
    return { git_rev: this.config.GIT_REV, service_name: 'Hegel' };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  text(): string {
    return this.metrics.text(this.hardware.count());
  }
}
