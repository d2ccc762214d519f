import { createServer, request, Agent, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type EventStore, JetStreamEventStore } from '@tinkerbell/event-store';
import { ensureAuditKey, ensurePki, ensureSecretsKey } from '@tinkerbell/identity';
import { NatsBus, PublishedStream } from '@tinkerbell/messaging';
import { ceHeaders, toPublication } from '@tinkerbell/public-events';
import { startTinkServer, TinkServerConfig } from '@tinkerbell/tink-server';
import { type Bench, type Figure, figure, quantile } from './bench';
import { startWithLog } from './sample-log';

const workflows = Number(process.env['BENCH_WORKFLOWS'] ?? 100_000);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 300);
/** Requests of each kind before those that count. */
const warmUp = 50;

interface Answer {
  readonly text: string;
  readonly milliseconds: number;
}

class HttpClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(private readonly port: number) {}

  get(path: string): Promise<Answer> {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      request({ port: this.port, path, agent: this.agent, host: '127.0.0.1' }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          if (response.statusCode === 200) resolve({ text, milliseconds: performance.now() - began });
          else reject(new Error(`${path}: ${response.statusCode} ${text}`));
        });
      })
        .on('error', reject)
        .end();
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** The limit: a bare HTTP server of Node that answers the same bytes from memory. */
async function bareServer(answers: ReadonlyMap<string, string>): Promise<Server> {
  const server = createServer((asked, response) => response.end(answers.get(asked.url ?? '')));
  // A loaded machine may leave it alone for longer than the five seconds of Node.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** tink-server over a log of many workflows, and its HTTP port. */
async function openServer(progress: (text: string) => void) {
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(0);
  const nats = await startWithLog({ workflows, length: 5 }, progress);
  progress(`the log is there after ${seconds()} s`);
  const dir = mkdtempSync(join(tmpdir(), 'tink-bench-'));
  const store = await JetStreamEventStore.connect({ servers: nats.url, name: 'query', allowLazySync: true });
  const bus = await NatsBus.connect({ servers: nats.url, name: 'query' });
  const pki = await ensurePki(join(dir, 'pki'), { ips: ['127.0.0.1'], names: ['localhost'] });
  const settings = { TINK_HOST: '127.0.0.1', TINK_GRPC_PORT: 0, TINK_HTTP_PORT: 0, TINK_HTTPS_PORT: 0 };
  const quiet = { TINK_LOG_LEVEL: 'error' as const, TINK_DATA_DIR: dir, TINK_WORKER_NATS_URL: nats.url };
  const config = Object.freeze({ ...new TinkServerConfig(), ...settings, ...quiet });
  const credentials = { mintWorkerJwt: () => Promise.reject(new Error('nobody enrols here')) };
  const [secretsKey, auditKey] = await Promise.all([ensureSecretsKey(dir), ensureAuditKey(dir)]);
  const ports = { store, bus, pki, credentials, secretsKey, auditKey, version: 'bench' };
  const last = await store.lastPosition();
  await publishLast(store, new PublishedStream(bus.connection), last);
  const server = await startTinkServer(config, ports);
  progress(`the rows and their past are there after ${seconds()} s`);
  await settled(server.http.port, last);
  progress(`the server is at rest after ${seconds()} s`);
  return {
    port: server.http.port,
    last,
    async close() {
      await server.close();
      await store.close();
      await bus.close();
      await nats.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** As if all public events had been published and only the last one were kept: the publisher goes on behind it. */
async function publishLast(store: EventStore, stream: PublishedStream, last: number): Promise<void> {
  const abort = new AbortController();
  for await (const { events } of store.subscribe({ after: last - 1, signal: abort.signal })) {
    const publication = events[0] && toPublication(events[0]);
    if (!publication) throw new Error(`the last commit of the bench, ${last}, is not public`);
    const { subject, event } = publication;
    const { sequence } = await stream.head();
    const body = JSON.stringify(event.data);
    await stream.publish({ subject, id: event.id, headers: ceHeaders(event), body }, sequence);
    abort.abort();
  }
}

/** Resolves when what a server does at its start beside answering is done: it has read the whole log to sign it, and all is quiet. */
async function settled(port: number, last: number): Promise<void> {
  const metrics = new HttpClient(port);
  const valueOf = (text: string, name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
  for (let quiet = 0; quiet < 2;) {
    const before = process.cpuUsage();
    await delay(1000);
    const { user, system } = process.cpuUsage(before);
    const { text } = await metrics.get('/metrics');
    const isSigned =
      valueOf(text, 'tink_audit_covered_position') > last - 2 * new TinkServerConfig().TINK_AUDIT_COMMITS;
    const isPublished = valueOf(text, 'tink_published_position') >= last;
    quiet = isSigned && isPublished && user + system < 100_000 ? quiet + 1 : 0;
  }
  metrics.close();
}

/** What is asked for, each time for something else. `last`: the end of the log. */
function questions(last: number): readonly (readonly [name: string, pathOf: (i: number) => string])[] {
  const idOf = (i: number) => {
    const n = (i * 7919) % workflows;
    return `workflow-${(n % 251).toString(16).padStart(2, '0')}-${n}`;
  };
  // In the second half of the log, where there are many.
  const then = (i: number) => last - ((i * 7919) % Math.floor(last / 2));
  const page = (i: number) => `/api/workflows?limit=50&after=${idOf(i)}`;
  const ofWorker = (i: number) => `/api/workflows?limit=50&worker=machine-${i % 1000}`;
  const one = (i: number) => `/api/workflows/${idOf(i)}`;
  return [
    ['page, status', (i) => `${page(i)}&status=failed`],
    ['page, worker', ofWorker],
    ['page, all', page],
    ['get', one],
    ['page, status, at', (i) => `${page(i)}&status=failed&at=${then(i)}`],
    ['page, worker, at', (i) => `${ofWorker(i)}&at=${then(i)}`],
    ['page, all, at', (i) => `${page(i)}&at=${then(i)}`],
    // The newest ones are not there yet in the middle of the log.
    ['get, at', (i) => `${one(i)}?at=${last - (i % 1000)}`],
  ];
}

/** Over HTTP on the loopback, one request after the other; a bare server answers the same bytes by turns. */
export const query: Bench = {
  name: 'query',
  about: `a page of 50 and single rows among ${workflows} workflows over HTTP, now and at a position, against a server that answers the same bytes from memory`,
  async run(progress) {
    const server = await openServer(progress);
    const ours = new HttpClient(server.port);
    const answers = new Map<string, string>();
    const bare = await bareServer(answers);
    const raw = new HttpClient((bare.address() as AddressInfo).port);
    try {
      const figures: Figure[] = [];
      for (const [name, pathOf] of questions(server.last)) {
        const [own, limit]: [number[], number[]] = [[], []];
        let cpu = 0;
        for (let i = -warmUp; i < rounds; i++) {
          const path = pathOf(i + warmUp);
          const before = process.cpuUsage();
          const { text, milliseconds } = await ours.get(path);
          const { user, system } = process.cpuUsage(before);
          answers.clear();
          answers.set(path, text);
          const { milliseconds: least } = await raw.get(path);
          if (i < 0) continue;
          own.push(milliseconds);
          limit.push(least);
          cpu += (user + system) / 1000;
        }
        progress(name);
        for (const q of [0.5, 0.99]) {
          const note = `${(cpu / rounds).toFixed(2)} ms of CPU each`;
          figures.push(figure(`query ${name} p${q * 100}`, quantile(own, q), quantile(limit, q), 'ms', note));
        }
      }
      return figures;
    } finally {
      ours.close();
      raw.close();
      bare.close();
      await server.close();
    }
  },
};
