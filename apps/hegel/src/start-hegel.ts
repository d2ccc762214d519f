import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { HegelConfig } from './hegel.config';
import { HegelModule } from './hegel.module';
import type { HegelPorts } from './hegel-ports';
import { InstanceIndex } from './instance-index';
import { siteOf } from './site';

export interface RunningHegel {
  /** Where it really listens. */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves metadata until closed. Throws ConfigError for settings that make no sense, and whatever `listen` says. */
export async function startHegel(config: HegelConfig, ports: HegelPorts): Promise<RunningHegel> {
  const instances = new InstanceIndex(ports.hardware);
  try {
    const site = siteOf(config, ports, instances);
    const app = await NestFactory.create<NestExpressApplication>(HegelModule.with(config, ports, site), {
      logger: ['error', 'warn'],
      abortOnError: false,
      bodyParser: false,
    });
    app.disable('x-powered-by');
    const server = await app.listen(config.HEGEL_HTTP_PORT, config.HEGEL_HTTP_ADDRESS);
    const { address, port } = server.address() as AddressInfo;
    return {
      address,
      port,
      close: async () => {
        instances.close();
        server.closeAllConnections();
        await app.close();
      },
    };
  } catch (error) {
    instances.close();
    throw error;
  }
}
