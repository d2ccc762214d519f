import 'reflect-metadata';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { rememberCommits } from '@tinkerbell/event-store';
import { Leadership, type Lease, type NatsBus } from '@tinkerbell/messaging';
import { GrpcListener } from './grpc/grpc-listener';
import { basicAuth, httpsOnly } from './http/basic-auth';
import { HttpErrorFilter } from './http/http-error.filter';
import { listenHttp, listenHttps, type Listener } from './http/listeners';
import { minSeq } from './http/query';
import { readBody } from './http/read-body';
import { requestLog } from './http/request-log';
import type { TimedPorts, TinkServerPorts } from './ports';
import { openTinkReadModels } from './projected-reads';
import type { ReadSide } from './read-side';
import { makeServices, type Services } from './services';
import type { TinkServerConfig } from './tink-server.config';
import { TinkServerModule } from './tink-server.module';
import { ServedCertificate } from './tls/served-certificate';
import { ActionTimeoutReactor } from './timeouts/action-timeout.reactor';
import type { Patience } from './timeouts/deadlines';
import { LogClock } from './timeouts/log-clock';
import { IngressLoop } from './workers/ingress.loop';
import { logTransitions } from './workers/transition-log';
import type { OnTheirWay } from './workers/on-their-way';
import { wakeWorkers } from './workers/wake-workers';
import { WorkerListener } from './workers/worker-listener';
import { ServerLogger, setLogLevel } from './log';

export interface Bound {
  readonly host: string;
  readonly port: number;
}

export interface RunningTinkServer {
  readonly grpc: Bound;
  readonly http: Bound;
  readonly https: Bound;
  /** Ends with the error that stopped the read models from following the log; never otherwise. */
  readonly fault: Promise<Error>;
  /** Ends all that was started here and nothing else: the ports belong to the caller. */
  close(): Promise<void>;
}

/** Starts all listeners and loops; resolves when the server answers. What was started is ended again when a part of it fails. */
export async function startTinkServer(
  config: Readonly<TinkServerConfig>,
  ports: TinkServerPorts,
): Promise<RunningTinkServer> {
  const stack = new Stack();
  try {
    return await start(config, ports, stack);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

async function start(
  config: Readonly<TinkServerConfig>,
  ports: TinkServerPorts,
  stack: Stack,
): Promise<RunningTinkServer> {
  const { store, bus, pki } = ports;
  setLogLevel(config.TINK_LOG_LEVEL);
  const own = ports.readModels
    ? undefined
    : await openTinkReadModels(store, join(config.TINK_DATA_DIR, 'tink-server.db'));
  if (own) stack.push(() => own.close());
  const readModels = ports.readModels ?? own;
  if (!readModels) throw new Error('no read models');
  const timed = { ...ports, now: await logNow(bus, stack) };
  const services = makeServices(config, timed, readModels);
  const { reads, integrations, checkpoints, providers } = services;

  // Ended last: it signs what the others wrote.
  checkpoints.start();
  stack.push(() => checkpoints.close());
  const app = await NestFactory.create<NestExpressApplication>(TinkServerModule.with(providers), {
    bodyParser: false,
    abortOnError: false,
    // Nest's own noise; our lines go through ServerLogger.
    logger: ['error', 'warn'],
  });
  stack.push(() => app.close());
  const bound = { https: config.TINK_HTTPS_PORT };
  prepareHttp(app, config, reads, () => bound.https);
  const grpcHost = config.TINK_GRPC_HOST === '' ? config.TINK_HOST : config.TINK_GRPC_HOST;
  const certificate = new ServedCertificate(pki, ports.certificateFiles, new ServerLogger('tls'));
  const grpc = new GrpcListener({ host: grpcHost, port: config.TINK_GRPC_PORT, certificate });
  app.connectMicroservice({ strategy: grpc });
  app.connectMicroservice({ strategy: new WorkerListener(bus.connection) });
  // Before anybody can ask: of several servers the one that knows last must be the last to wake.
  stack.push(readModels.onCommits((commits) => rememberCommits(store, commits)));
  stack.push(wakeWorkers(reads, (workerId) => bus.wake(workerId)));
  await app.startAllMicroservices();
  await app.init();

  compete(config, timed, services, stack);
  integrations.start();
  stack.push(() => integrations.close());
  stack.push(logTransitions(readModels));

  const { http, https } = await openHttp(app, config, certificate, stack);
  certificate.watch();
  stack.push(() => certificate.close());
  bound.https = https.port;
  grpc.setServing(true);
  new ServerLogger('tink-server').log(
    `gRPC ${grpcHost}:${grpc.port}, HTTP ${http.port} and HTTPS ${https.port} on ${config.TINK_HOST}`,
  );
  return {
    grpc: { host: grpcHost, port: grpc.port },
    http,
    https,
    fault: readModels.fault,
    close: () => stack.close(),
  };
}

async function logNow(bus: NatsBus, stack: Stack): Promise<() => number> {
  const ended = new AbortController();
  stack.push(() => ended.abort());
  return (await LogClock.start(() => bus.logTime(), ended.signal)).now;
}

function patienceOf(config: Readonly<TinkServerConfig>): Patience {
  return {
    action: config.TINK_ACTION_GRACE_SECONDS,
    cancel: config.TINK_CANCEL_GRACE_SECONDS,
    boot: config.TINK_BOOT_DELAY_SECONDS,
    worker: config.TINK_WORKER_DELAY_SECONDS,
  };
}

/** What one server of several does at a time. */
function compete(
  config: Readonly<TinkServerConfig>,
  { store, bus, now }: TimedPorts,
  { reads, metrics }: Services,
  stack: Stack,
): void {
  const leadership = new Leadership(bus.connection, { log: (line) => new ServerLogger('lease').debug(line) });
  const lead = (name: string, work: (lease: Lease) => Promise<void>): void => {
    const candidacy = leadership.run(name, work);
    stack.push(() => candidacy.close());
  };
  lead('action-timeout', async ({ signal }) => {
    const wake = (workerId: string) => bus.wake(workerId);
    const onTheirWay: OnTheirWay = (workerId, kind) => bus.pendingReports(workerId, kind);
    const options = { patience: patienceOf(config), wake, onTheirWay, now };
    const timeouts = new ActionTimeoutReactor(store, reads, options);
    try {
      await timeouts.start();
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      timeouts.close();
    }
  });
  const ingress = new IngressLoop(store, bus, metrics, now);
  lead('ingress', (lease) => ingress.run(lease));
}

function prepareHttp(
  app: NestExpressApplication,
  config: TinkServerConfig,
  reads: ReadSide,
  httpsPort: () => number,
): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.useGlobalFilters(new HttpErrorFilter());
  app.use(requestLog);
  const credentials = { username: config.TINK_AUTH_USERNAME, password: config.TINK_AUTH_PASSWORD };
  if (config.TINK_HTTP_API === 'loopback') app.use(httpsOnly(credentials, httpsPort));
  app.use(basicAuth(credentials));
  app.use(readBody);
  app.use(minSeq(reads));
}

async function openHttp(
  app: NestExpressApplication,
  config: TinkServerConfig,
  certificate: ServedCertificate,
  stack: Stack,
): Promise<{ readonly http: Listener; readonly https: Listener }> {
  const listener = app.getHttpAdapter().getInstance() as RequestListener;
  const http = await listenHttp(listener, config.TINK_HOST, config.TINK_HTTP_PORT);
  stack.push(() => http.close());
  const https = await listenHttps(listener, config.TINK_HOST, config.TINK_HTTPS_PORT, certificate);
  stack.push(() => https.close());
  return { http, https };
}

/** What was started, ended in reverse order. One that fails to end does not keep the others from it. */
class Stack {
  private readonly ends: (() => unknown)[] = [];

  push(end: () => unknown): void {
    this.ends.push(end);
  }

  async close(): Promise<void> {
    for (let end = this.ends.pop(); end; end = this.ends.pop()) {
      try {
        await end();
      } catch (error) {
        new ServerLogger('tink-server').warn(`while closing: ${String(error)}`);
      }
    }
  }
}
