import { Module, type DynamicModule } from '@nestjs/common';
import { ActionLogs } from './action-logs';
import { DashboardConfig } from './dashboard.config';
import type { DashboardPorts } from './dashboard-ports';
import { LiveController } from './live.controller';
import { LiveHub } from './live-hub';
import { LiveStreams } from './live-streams';

@Module({})
export class DashboardModule {
  static with(config: DashboardConfig, ports: DashboardPorts, hub: LiveHub): DynamicModule {
    return {
      module: DashboardModule,
      controllers: [LiveController],
      providers: [
        { provide: DashboardConfig, useValue: config },
        { provide: ActionLogs, useValue: ports.logs },
        { provide: LiveHub, useValue: hub },
        {
          provide: LiveStreams,
          inject: [DashboardConfig, LiveHub, ActionLogs],
          useFactory: (c: DashboardConfig, h: LiveHub, l: ActionLogs) => new LiveStreams(c, h, l),
        },
      ],
    };
  }
}
