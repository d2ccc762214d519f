import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, loadPackageDefinition, Metadata, type Client, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { ensureAuditKey, ensureNatsIdentity, ensureSecretsKey } from '@tinkerbell/identity';
import { NatsBus } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { loaderOptions, protoFiles } from '../grpc/grpc-listener';
import { startTinkServer, type RunningTinkServer } from '../start-tink-server';
import { TinkServerConfig } from '../tink-server.config';
import { pairOf } from '../tls/served-certificate';
import { RestClient } from './rest-client';
import { SimulatedWorker } from './simulated-worker';

type Settings = { -readonly [K in keyof TinkServerConfig]?: TinkServerConfig[K] };

/** tink-server on a real nats-server with TLS and credentials, and clients for it. */
export class Harness {
  private readonly workers: SimulatedWorker[] = [];
  private readonly clients: Client[] = [];

  private constructor(
    readonly nats: TestNats,
    private readonly dir: string,
    private readonly settings: Settings,
    private running: Running,
  ) {}

  static async start(settings: Settings = {}): Promise<Harness> {
    const nats = await startTestNats({ secured: true, restart: false });
    const dir = await mkdtemp(join(tmpdir(), 'tink-server-'));
    return new Harness(nats, dir, settings, await run(nats, dir, settings));
  }

  get server(): RunningTinkServer {
    return this.running.server;
  }
  get store(): JetStreamEventStore {
    return this.running.store;
  }
  get ca(): string {
    return this.nats.pki?.ca ?? '';
  }
  rest(auth?: string): RestClient {
    return new RestClient('http', this.server.http.port, this.ca, auth);
  }
  /** What a path without a query answers once the read models have applied all that the log has now. */
  async latest<T>(path: string): Promise<T> {
    const position = await this.store.lastPosition();
    return (await this.rest().get<T>(`${path}?minSeq=${position}`)).body;
  }
  https(auth?: string): RestClient {
    return new RestClient('https', this.server.https.port, this.ca, auth);
  }

  /** A client made of our own proto files, trusting our authority only. */
  grpc(name: 'template' | 'workflow' | 'hardware' | 'events' | 'agent'): GrpcClient {
    const client = grpcClient(name, `127.0.0.1:${this.server.grpc.port}`, this.ca);
    this.clients.push(client);
    return new GrpcClient(client);
  }

  async worker(workerId: string, bootId = 'boot-1'): Promise<SimulatedWorker> {
    const worker = await SimulatedWorker.connect(workerId, bootId, await this.nats.worker(workerId));
    this.workers.push(worker);
    return worker;
  }

  /** Another server on the same log, with its own read models in `dir`; the caller closes it. */
  async replica(dir: string): Promise<Replica> {
    const { server, close } = await run(this.nats, dir, this.settings);
    return { rest: () => new RestClient('http', server.http.port, this.ca), close };
  }

  /** Ends tink-server and its connections and starts it anew on the same data. */
  async restart(): Promise<void> {
    await this.stopServer();
    this.running = await run(this.nats, this.dir, this.settings);
  }

  async stopServer(): Promise<void> {
    await this.running.close();
  }

  async close(): Promise<void> {
    this.clients.forEach((client) => client.close());
    await Promise.all(this.workers.map((worker) => worker.close()));
    await this.running.close();
    await this.nats.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

export interface Replica {
  rest(): RestClient;
  close(): Promise<void>;
}

interface Running {
  readonly server: RunningTinkServer;
  readonly store: JetStreamEventStore;
  close(): Promise<void>;
}

async function run(nats: TestNats, dir: string, settings: Settings): Promise<Running> {
  const { engine, pki } = nats;
  const identity = await ensureNatsIdentity(join(nats.dir, 'identity'));
  const secretsKey = await ensureSecretsKey(join(nats.dir, 'identity'));
  const bus = await NatsBus.connect({ ...engine, name: 'tink-server' });
  const store = await JetStreamEventStore.fromConnection(bus.connection, { ...engine, patienceMs: 5_000 });
  const config = Object.freeze({
    ...new TinkServerConfig(),
    ...{ TINK_HOST: '127.0.0.1', TINK_GRPC_PORT: 0, TINK_HTTP_PORT: 0, TINK_HTTPS_PORT: 0 },
    TINK_LOG_LEVEL: 'error' as const,
    TINK_PIN_IMAGES: 'off' as const,
    TINK_DATA_DIR: dir,
    TINK_WORKER_NATS_URL: nats.url,
    ...settings,
  });
  if (!pki) throw new Error('the harness needs a secured nats-server');
  const auditKey = await ensureAuditKey(join(nats.dir, 'identity'));
  const certificateFiles = { read: pairOf(pki.files), everyMs: 200 };
  const keys = { credentials: identity, auditKey, secretsKey };
  const ports = { store, bus, pki, certificateFiles, ...keys, version: '1.2.3-test' };
  const server = await startTinkServer(config, ports);
  return {
    server,
    store,
    async close() {
      await server.close();
      await store.close();
      await bus.close();
    },
  };
}

/** `ca`: PEM. */
export function grpcClient(
  name: 'template' | 'workflow' | 'hardware' | 'events' | 'agent',
  address: string,
  ca: string,
): Client {
  const names = { template: 'Template', workflow: 'Workflow', hardware: 'Hardware', events: 'Events' } as const;
  const path =
    name === 'agent'
      ? ['proto', 'WorkflowService']
      : ['github', 'com', 'tinkerbell', 'tink', 'protos', name, `${names[name]}Service`];
  const Service = path.reduce<unknown>(
    (at, part) => (at as Record<string, unknown>)[part],
    loadPackageDefinition(loadSync([...protoFiles()], loaderOptions)),
  ) as new (address: string, channel: ReturnType<typeof credentials.createSsl>, options: object) => Client;
  return new Service(address, credentials.createSsl(Buffer.from(ca)), {
    'grpc.max_receive_message_length': 16 * 1_048_576,
  });
}

/** Calls by name; a failed call rejects with the ServiceError. */
export class GrpcClient {
  constructor(private readonly client: Client) {}

  call<T = Record<string, unknown>>(method: string, request: object): Promise<T> {
    return new Promise((resolve, reject) => {
      this.method(method)(request, new Metadata(), (error: ServiceError | null, reply?: T) =>
        error ? reject(error) : resolve(reply as T),
      );
    });
  }

  /** Collects a stream to its end. */
  async all<T = Record<string, unknown>>(method: string, request: object): Promise<readonly T[]> {
    const items: T[] = [];
    for await (const item of this.stream<T>(method, request)) items.push(item);
    return items;
  }

  /** Leaving the loop cancels the call. */
  async *stream<T = Record<string, unknown>>(method: string, request: object): AsyncGenerator<T> {
    const call = this.method(method)(request) as AsyncIterable<T> & { cancel(): void };
    try {
      for await (const item of call) yield item;
    } finally {
      call.cancel();
    }
  }

  private method(name: string): (...args: unknown[]) => unknown {
    const method = (this.client as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
    if (!method) throw new Error(`no method ${name}`);
    return method.bind(this.client);
  }
}
