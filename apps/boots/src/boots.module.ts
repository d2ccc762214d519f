import { type DynamicModule, type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { Callers } from './callers';
import { ConnectionLimits } from './http/connection-limits';
import { DiscoveryController } from './discovery/discovery.controller';
import { DiscoveryDesk } from './discovery/discovery-desk';
import { ErrorFilter } from './http/error.filter';
import { FileDesk } from './http/file-desk';
import { FilesController } from './http/files.controller';
import { countRequests } from './http/count-requests';
import { Status } from './http/status';
import { StatusController } from './http/status.controller';
import { IsoController } from './iso/iso.controller';
import { IsoDesk } from './iso/iso-desk';
import { LoaderController } from './loaders/loader.controller';
import { IpxeController } from './ipxe/ipxe.controller';
import { ScriptDesk } from './ipxe/script-desk';
import type { Logger } from './logger';
import { Metrics } from './metrics';
import type { FailedRequests } from './recorder/failed-requests';
import { PhoneHomeController } from './phone-home/phone-home.controller';
import { PhoneHomeDesk } from './phone-home/phone-home-desk';

export interface HttpServices {
  readonly scripts: ScriptDesk;
  readonly files: FileDesk;
  readonly phoneHome: PhoneHomeDesk;
  readonly discovery: DiscoveryDesk;
  readonly iso: IsoDesk;
  readonly status: Status;
  readonly callers: Callers;
  readonly failed: FailedRequests;
  readonly limits: ConnectionLimits;
  readonly metrics: Metrics;
  readonly log: Logger;
}

@Module({})
export class BootsModule implements NestModule {
  constructor(
    private readonly metrics: Metrics,
    private readonly limits: ConnectionLimits,
  ) {}

  static with(services: HttpServices): DynamicModule {
    return {
      module: BootsModule,
      // In this order: the last one takes every path that is left.
      controllers: [
        StatusController,
        PhoneHomeController,
        DiscoveryController,
        IpxeController,
        IsoController,
        LoaderController,
        FilesController,
      ],
      providers: [
        { provide: ScriptDesk, useValue: services.scripts },
        { provide: FileDesk, useValue: services.files },
        { provide: PhoneHomeDesk, useValue: services.phoneHome },
        { provide: DiscoveryDesk, useValue: services.discovery },
        { provide: IsoDesk, useValue: services.iso },
        { provide: Status, useValue: services.status },
        { provide: Metrics, useValue: services.metrics },
        { provide: ConnectionLimits, useValue: services.limits },
        { provide: APP_FILTER, useValue: new ErrorFilter(services.log, services.callers, services.failed) },
      ],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(countRequests(this.metrics), this.limits.refuse).forRoutes('{*path}');
  }
}
