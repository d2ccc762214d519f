import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Cleanup } from '../../demo/src/cleanup';
import type { CheckInput, Verdict } from './check/check';
import { clientHost, natsUrls } from './cluster/addresses';
import { type Cluster, startCluster } from './cluster/cluster';
import type { LoadInput, LoadMessage } from './load/load';
import { plan, torment } from './nemesis/nemesis';
import type { ChaosOptions } from './options';
import { until } from './until';
import { Random } from './random';

/** One machine in so many has a twin. */
const twinEvery = 20;
const patienceSeconds = 120;

/** One run from empty disks to the verdict. */
export async function runChaos(
  options: ChaosOptions,
  dir: string,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<Verdict> {
  const { seed, seconds } = options;
  say('starting three nats-servers and two tink-servers');
  const cluster = await startCluster(dir, cleanup);
  const ledger = join(dir, 'ledger.jsonl');
  writeFileSync(ledger, '');
  const load = await startLoad(cluster, options, ledger, cleanup);
  say(`${options.workers} workers are registered; now things go wrong for ${seconds} s`);
  const planned = plan(new Random(seed, 'nemesis'), seconds);
  const overtime = new AbortController();
  await Promise.race([torment(cluster, planned, overtime.signal, say), load.failed]);
  say('everything is made whole; waiting until every workflow has ended');
  await cluster.whole();
  load.stop();
  const { begun, open } = await load.ended();
  say(`${begun - open} of ${begun} workflows have ended; checking`);
  await settled(cluster);
  await Promise.all(cluster.tink.map((server) => server.end('SIGTERM')));
  return inspect(cluster, ledger);
}

interface RunningLoad {
  /** Rejects when it ends before it should. */
  readonly failed: Promise<never>;
  stop(): void;
  ended(): Promise<{ readonly begun: number; readonly open: number }>;
}

async function startLoad(
  cluster: Cluster,
  options: ChaosOptions,
  ledger: string,
  cleanup: Cleanup,
): Promise<RunningLoad> {
  const workers = Array.from({ length: options.workers }, (_, i): LoadInput['workers'][number] => {
    const id = `0eba0bf8-3772-4b4a-ab9f-${String(i).padStart(12, '0')}`;
    const mac = `52:54:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;
    return { id, mac, machines: i % twinEvery === 0 ? 2 : 1 };
  });
  const [first, ...others] = cluster.tink.map(({ url }) => url);
  if (first === undefined) throw new Error('no tink-server');
  const input: LoadInput = {
    ...{ seed: options.seed, engine: cluster.engine, urls: [first, ...others], workers, ledger },
    ...{ rate: options.rate, patienceSeconds },
  };
  const child = spawnInside(cluster, 'load', input);
  cleanup.add('load', async () => child.kill('SIGKILL'));
  let latest = { begun: 0, open: 0 };
  let ready = false;
  child.on('message', (message: LoadMessage) => {
    if (message.t === 'ready') ready = true;
    else latest = message;
  });
  const gone = once(child, 'exit').then(([code]) => code as number | null);
  const failed = gone.then((code): never => {
    throw new Error(`the load ended too early with ${code}; ${join(cluster.dir, 'load.log')} says why`);
  });
  failed.catch(() => undefined);
  await Promise.race([until('the machines are registered', 180_000, () => ready), failed]);
  return {
    failed,
    stop: () => child.send('stop'),
    async ended() {
      const code = await gone;
      if (code !== 0) throw new Error(`the load ended with ${code}; ${join(cluster.dir, 'load.log')} says why`);
      return latest;
    },
  };
}

/** Both tink-servers have applied the whole log. */
async function settled(cluster: Cluster): Promise<void> {
  for (const { url, place } of cluster.tink) {
    await until(`${url} has applied the log`, 90_000, async () => {
      const health = await healthOf(place.namespace, url);
      return health.healthy && health.log !== null && health.applied >= health.log;
    });
  }
}

/** From inside: nobody else can reach it. */
async function healthOf(
  namespace: string,
  url: string,
): Promise<{ readonly healthy: boolean; readonly log: number | null; readonly applied: number }> {
  const script = `fetch('${url}/healthz').then((r) => r.text()).then((t) => process.stdout.write(t))`;
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, '--', process.execPath, '-e', script]);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(child, 'close');
  return JSON.parse(text) as Awaited<ReturnType<typeof healthOf>>;
}

async function inspect(cluster: Cluster, ledger: string): Promise<Verdict> {
  const { engine, readModels } = cluster;
  const input: CheckInput = { urls: natsUrls, engine, ledger, readModels };
  const child = spawnInside(cluster, 'check', input);
  let verdict: Verdict | undefined;
  child.on('message', (message) => (verdict = message as Verdict));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (!verdict) throw new Error(`the checker ended with ${code}; ${join(cluster.dir, 'check.log')} says why`);
  return verdict;
}

/** Our own second program, in the clients' namespace. */
function spawnInside({ dir, places }: Cluster, mode: 'load' | 'check', input: object): ChildProcess {
  const file = join(dir, `${mode}.json`);
  writeFileSync(file, JSON.stringify(input), { mode: 0o600 });
  const out = openSync(join(dir, `${mode}.log`), 'a');
  const program = [process.execPath, '--enable-source-maps', resolve('dist/test/chaos/inside.js'), mode, file];
  return spawn('nsenter', [`--net=/run/netns/${places.at(clientHost).namespace}`, '--', ...program], {
    stdio: ['ignore', out, out, 'ipc'],
  });
}
