import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createUserKey, ensureNatsIdentity, ensurePki, type NatsIdentity, type Pki } from '@tinkerbell/identity';
import { connect, credsAuthenticator, type NatsConnection } from 'nats';
import { type NatsServer, type NatsServerOptions, startNatsServer } from './server';
import { ensureStreams } from './streams';
import { freePort } from './testing-port';

/** A throw-away nats-server for integration tests. */
export interface TestNats {
  readonly server: NatsServer;
  readonly url: string;
  readonly dir: string;
  /** With `secured`. */
  readonly pki?: Pki;
  readonly identity?: NatsIdentity;
  /** What `connectBus` and `JetStreamEventStore.connect` take to log in as the engine. */
  readonly engine: {
    readonly servers: string;
    readonly ca?: string;
    readonly creds?: string;
    readonly systemCreds?: string;
    readonly durability?: 'fsync-each';
  };
  /** A worker's login: a key of its own and a JWT for an hour. */
  worker(workerId: string): Promise<{ servers: string; ca?: string; jwt: string; seed: string }>;
  /** A raw connection as the engine; closed by `stop`. */
  connect(): Promise<NatsConnection>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

export interface TestNatsOptions extends Partial<Omit<NatsServerOptions, 'tls' | 'identity'>> {
  /** TLS, operator and accounts as in production; default false. */
  readonly secured?: boolean;
  /** Create the product's streams; default true. */
  readonly streams?: boolean;
}

export async function startTestNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const { secured = false, streams = true, ...serverOptions } = options;
  const dir = await mkdtemp(join(tmpdir(), 'tink-nats-'));
  const connections: NatsConnection[] = [];
  let started: NatsServer | undefined;
  const stop = async () => {
    await Promise.all(connections.map((connection) => connection.close().catch(() => undefined)));
    await started?.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const pki = secured ? await ensurePki(join(dir, 'pki'), { ips: ['127.0.0.1'], names: ['localhost'] }) : undefined;
    const identity = secured ? await ensureNatsIdentity(join(dir, 'identity')) : undefined;
    const server = await startNatsServer({
      dataDir: join(dir, 'nats'),
      host: '127.0.0.1',
      port: await freePort(),
      ...serverOptions,
      ...(pki ? { tls: pki.files } : {}),
      ...(identity ? { identity } : {}),
    });
    started = server;
    const engine = {
      servers: server.url,
      ...(pki && { ca: pki.ca }),
      ...(identity
        ? { creds: identity.engineCreds, systemCreds: identity.systemCreds }
        : { durability: 'fsync-each' as const }),
    };
    const test: TestNats = {
      server,
      url: server.url,
      dir,
      ...(pki && { pki }),
      ...(identity && { identity }),
      engine,
      async worker(workerId) {
        if (!identity) throw new Error('startTestNats({ secured: true }) gives workers credentials');
        const { publicKey, seed } = createUserKey();
        const jwt = await identity.mintWorkerJwt({ publicKey, workerId, expiresAt: new Date(Date.now() + 3_600_000) });
        return { servers: server.url, ...(pki && { ca: pki.ca }), jwt, seed };
      },
      async connect() {
        const connection = await connectAsEngine(engine);
        connections.push(connection);
        return connection;
      },
      stop,
    };
    if (streams) await ensureStreams(await test.connect());
    return test;
  } catch (error) {
    await stop();
    throw error;
  }
}

function connectAsEngine({ servers, ca, creds }: TestNats['engine']): Promise<NatsConnection> {
  return connect({
    servers,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    ...(ca && { tls: { ca } }),
    ...(creds && { authenticator: credsAuthenticator(new TextEncoder().encode(creds)) }),
  });
}
