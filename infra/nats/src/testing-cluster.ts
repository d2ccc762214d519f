import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createUserKey, ensureNatsIdentity, ensurePki, type NatsIdentity, type Pki } from '@tinkerbell/identity';
import { type NatsServer, startNatsServer } from './server';
import { freePort } from './testing-port';

/** Three throw-away nats-servers that form a cluster, secured as in production. */
export interface TestCluster {
  readonly servers: readonly NatsServer[];
  readonly dir: string;
  readonly pki: Pki;
  readonly identity: NatsIdentity;
  /** What `connectBus` and `JetStreamEventStore.connect` take to log in as the engine. */
  readonly engine: {
    readonly servers: string;
    readonly ca: string;
    readonly creds: string;
    readonly systemCreds: string;
  };
  worker(workerId: string): Promise<{ servers: string; ca: string; jwt: string; seed: string }>;
  stop(): Promise<void>;
}

/** A server that is killed stays down until `restart()`. */
export async function startTestCluster(): Promise<TestCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'tink-cluster-'));
  const servers: NatsServer[] = [];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const host = '127.0.0.1';
    const pki = await ensurePki(join(dir, 'pki'), { ips: [host], names: ['localhost'] });
    const identity = await ensureNatsIdentity(join(dir, 'identity'));
    // Routes name each other's ports, so these have to be known before any server is there.
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const routes = ports.map((port) => `${host}:${port}`);
    for (const [i, port] of ports.entries()) {
      servers.push(
        await startNatsServer({
          ...{ dataDir: join(dir, `nats-${i}`), host, port: await freePort(), serverName: `n${i}`, restart: false },
          ...{ tls: pki.files, identity },
          cluster: { name: 'test', host, port, routes, ca: pki.files.ca },
        }),
      );
    }
    const urls = servers.map(({ url }) => url).join(',');
    return {
      ...{ servers, dir, pki, identity, stop },
      engine: { servers: urls, ca: pki.ca, creds: identity.engineCreds, systemCreds: identity.systemCreds },
      async worker(workerId) {
        const { publicKey, seed } = createUserKey();
        const jwt = await identity.mintWorkerJwt({ publicKey, workerId, expiresAt: new Date(Date.now() + 3_600_000) });
        return { servers: urls, ca: pki.ca, jwt, seed };
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
