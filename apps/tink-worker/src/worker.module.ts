import { Module, type DynamicModule } from '@nestjs/common';
import { ActionLoop } from './action-loop';
import { Bus } from './bus/bus';
import { Containers } from './containers/containers';
import { Journal } from './journal/journal';
import { WorkerSettings } from './settings';
import { WorkerLog } from './worker-log';

export interface WorkerParts {
  readonly settings: WorkerSettings;
  readonly containers: Containers;
  readonly journal: Journal;
  readonly bus: Bus;
  readonly log: WorkerLog;
}

@Module({})
export class WorkerModule {
  static of({ settings, containers, journal, bus, log }: WorkerParts): DynamicModule {
    return {
      module: WorkerModule,
      providers: [
        { provide: WorkerSettings, useValue: settings },
        { provide: Containers, useValue: containers },
        { provide: Journal, useValue: journal },
        { provide: Bus, useValue: bus },
        { provide: WorkerLog, useValue: log },
        ActionLoop,
      ],
    };
  }
}
