import { Module, type DynamicModule } from '@nestjs/common';
import { Site } from './answer';
import { SourceHealth } from './health';
import { HealthController } from './health.controller';
import { HegelConfig } from './hegel.config';
import { HardwareCount, type HegelPorts } from './hegel-ports';
import { MetadataController } from './metadata.controller';
import { RequestMetrics } from './metrics';

@Module({})
export class HegelModule {
  static with(config: HegelConfig, ports: HegelPorts, site: Site): DynamicModule {
    return {
      module: HegelModule,
      // In this order: the last one takes every path that is left.
      controllers: [HealthController, MetadataController],
      providers: [
        RequestMetrics,
        { provide: HegelConfig, useValue: config },
        { provide: Site, useValue: site },
        { provide: SourceHealth, useValue: ports.health ?? { fault: () => undefined } },
        { provide: HardwareCount, useValue: { count: () => ports.hardware.count() } },
      ],
    };
  }
}
