import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '@tinkerbell/event-store';
import { ensureAuditKey, ensureNatsIdentity, ensureSecretsKey } from '@tinkerbell/identity';
import { NatsBus } from '@tinkerbell/messaging';
import { startTestNats } from '@tinkerbell/nats';
import { openTinkReadModels, startTinkServer, TinkServerConfig } from '@tinkerbell/tink-server';

/** A real tink-server over some log, with its rows in a file, asked over HTTP on one connection. */
export interface Served {
  /** Seconds that the rows and their past took to be built, and the size of their file. */
  readonly built: { readonly seconds: number };
  /** The body of the answer; throws for one that is not 200. */
  get(path: string): Promise<string>;
  close(): Promise<void>;
}

export async function serveLog(store: EventStore): Promise<Served> {
  const ends: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of ends.reverse()) await end();
  };
  try {
    const nats = await startTestNats({ secured: true });
    ends.push(() => nats.stop());
    const dir = await mkdtemp(join(tmpdir(), 'tink-bench-'));
    ends.push(() => rm(dir, { recursive: true, force: true }));
    const began = performance.now();
    const readModels = await openTinkReadModels(store, join(dir, 'rows.db'));
    const seconds = (performance.now() - began) / 1000;
    ends.push(() => readModels.close());
    const bus = await NatsBus.connect({ ...nats.engine, name: 'bench' });
    ends.push(() => bus.close());
    const config = Object.freeze({
      ...new TinkServerConfig(),
      ...{ TINK_HOST: '127.0.0.1', TINK_GRPC_PORT: 0, TINK_HTTP_PORT: 0, TINK_HTTPS_PORT: 0 },
      TINK_LOG_LEVEL: 'error' as const,
      TINK_WORKER_NATS_URL: nats.url,
    });
    const { pki } = nats;
    if (!pki) throw new Error('the bench needs a secured nats-server');
    const credentials = await ensureNatsIdentity(join(nats.dir, 'identity'));
    const auditKey = await ensureAuditKey(join(nats.dir, 'identity'));
    const secretsKey = await ensureSecretsKey(join(nats.dir, 'identity'));
    const ports = { store, bus, pki, credentials, auditKey, secretsKey, readModels, version: 'bench' };
    const server = await startTinkServer(config, ports);
    ends.push(() => server.close());
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    ends.push(async () => agent.destroy());
    return { built: { seconds }, get: (path) => get(agent, server.http.port, path), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function get(agent: Agent, port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`${path}: ${response.statusCode} ${text}`)),
      );
    });
    sent.once('error', reject).end();
  });
}

export interface Timed {
  /** Milliseconds of each request. */
  readonly durations: readonly number[];
  /** What a request costs this process, server and client, on average: what it would take if nothing else ran. */
  readonly cpu: string;
}

/** Sends requests one after the other, after some that do not count. */
export async function timeRequests(count: number, ask: (i: number) => Promise<unknown>): Promise<Timed> {
  for (let i = 0; i < 20; i++) await ask(count + i);
  const durations: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await ask(i);
    durations.push(performance.now() - began);
  }
  const { user, system } = process.cpuUsage(before);
  return { durations, cpu: `${((user + system) / 1000 / count).toFixed(1)} ms of CPU each` };
}
