import { createServer, request, Agent, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { ensureAuditKey, ensurePki, ensureSecretsKey } from '@tinkerbell/identity';
import { NatsBus } from '@tinkerbell/messaging';
import { startTinkServer, TinkServerConfig } from '@tinkerbell/tink-server';
import { type Bench, figure, quantile } from './bench';
import { startWithLog } from './sample-log';

const workflows = Number(process.env['BENCH_WORKFLOWS'] ?? 100_000);
const rounds = 300;

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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** tink-server over a log of many workflows, and its HTTP port. */
async function openServer(progress: (text: string) => void) {
  const nats = await startWithLog({ workflows, length: 5 }, progress);
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
  const server = await startTinkServer(config, ports);
  return {
    port: server.http.port,
    async close() {
      await server.close();
      await store.close();
      await bus.close();
      await nats.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Over HTTP on the loopback, one request after the other; a bare server answers the same bytes by turns. */
export const query: Bench = {
  name: 'query',
  about: `a page of 50 and single rows among ${workflows} workflows over HTTP, against a server that answers the same bytes from memory`,
  async run(progress) {
    const server = await openServer(progress);
    const ours = new HttpClient(server.port);
    const at = (i: number) => (i * 7919) % workflows;
    const idOf = (n: number) => `workflow-${(n % 251).toString(16).padStart(2, '0')}-${n}`;
    const kinds: readonly (readonly [string, (i: number) => string])[] = [
      ['query page, status', (i) => `/api/workflows?limit=50&status=failed&after=${idOf(at(i))}`],
      ['query page, worker', (i) => `/api/workflows?limit=50&worker=machine-${i % 1000}`],
      ['query page, all', (i) => `/api/workflows?limit=50&after=${idOf(at(i))}`],
      ['query get', (i) => `/api/workflows/${idOf(at(i))}`],
    ];
    const answers = new Map<string, string>();
    const bare = await bareServer(answers);
    const raw = new HttpClient((bare.address() as AddressInfo).port);
    try {
      const figures = [];
      for (const [name, pathOf] of kinds) {
        const [own, limit]: [number[], number[]] = [[], []];
        for (let i = 0; i < rounds; i++) {
          const path = pathOf(i);
          const { text, milliseconds } = await ours.get(path);
          answers.set(path, text);
          own.push(milliseconds);
          limit.push((await raw.get(path)).milliseconds);
        }
        progress(name);
        for (const q of [0.5, 0.99])
          figures.push(figure(`${name} p${q * 100}`, quantile(own, q), quantile(limit, q), 'ms'));
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
