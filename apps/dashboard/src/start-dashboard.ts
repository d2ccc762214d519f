import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DashboardConfig } from './dashboard.config';
import { DashboardModule } from './dashboard.module';
import type { DashboardPorts } from './dashboard-ports';
import { addFront } from './http-front';
import { listenOn } from './listen-on';
import { LiveHub } from './live-hub';
import { LiveStreams } from './live-streams';
import { findWebRoot } from './web-root';

export interface RunningDashboard {
  /** Where it really listens. */
  readonly address: string;
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the page and its live data until closed. Throws ConfigError for settings that make no sense. */
export async function startDashboard(config: DashboardConfig, ports: DashboardPorts): Promise<RunningDashboard> {
  const where = listenOn(config);
  const logger = new Logger('dashboard');
  const hub = new LiveHub(ports, (error) => logger.error(`the event feed ended: ${String(error)}`));
  try {
    await hub.start();
    const app = await NestFactory.create<NestExpressApplication>(DashboardModule.with(config, ports, hub), {
      logger: ['error', 'warn'],
      abortOnError: false,
    });
    addFront(app, where.policy, findWebRoot(config.DASHBOARD_WEB_ROOT));
    const server = await app.listen(config.DASHBOARD_HTTP_PORT, where.address);
    const { address, port } = server.address() as AddressInfo;
    const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
    return {
      address,
      port,
      url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/`,
      close: async () => {
        hub.close();
        app.get(LiveStreams).close();
        server.closeAllConnections();
        await app.close();
      },
    };
  } catch (error) {
    hub.close();
    throw error;
  }
}
