import { setMaxListeners } from 'node:events';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { NatsBus, pause } from '@tinkerbell/messaging';
import { Ledger } from '../ledger';
import { Random } from '../random';
import { Client } from './client';
import { Progress } from './progress';
import { Worker } from './worker';

/** What the process in the clients' namespace is told. */
export interface LoadInput {
  readonly seed: number;
  readonly engine: { readonly servers: string; readonly ca: string; readonly creds: string };
  readonly urls: readonly [string, ...string[]];
  /** `machines`: how many have this one identity. */
  readonly workers: readonly { readonly id: string; readonly mac: string; readonly machines: number }[];
  readonly ledger: string;
  /** New workflows in a second, at most. */
  readonly rate: number;
  /** How long to wait for the next workflow to end, once nothing goes wrong any more. */
  readonly patienceSeconds: number;
}

export type LoadMessage =
  { readonly t: 'ready' } | { readonly t: 'progress'; readonly begun: number; readonly open: number };

const crashChance = 0.03;
const workersPerConnection = 10;
const templates = { plain: 'chaos', silent: 'chaos-silent' } as const;

/** The workers and the client of one run: first all machines are registered, then workflows are made until `stop`, then all have to end. */
export class Load {
  private readonly random: Random;
  private readonly ledger: Ledger;
  private readonly client: Client;
  private readonly progress = new Progress();
  private readonly done = new AbortController();
  private readonly requesting = new Set<Promise<void>>();
  private crashes = 0;
  private requested = 0;

  constructor(private readonly input: LoadInput) {
    this.random = new Random(input.seed, 'load');
    this.ledger = new Ledger(input.ledger);
    setMaxListeners(0, this.done.signal); // every worker listens
    this.client = new Client(input.urls, this.random.fork('client'), this.done.signal);
  }

  async setUp(): Promise<void> {
    for (const [kind, name] of Object.entries(templates)) {
      await this.client.post(
        '/api/templates',
        { name, data: templateText(name, kind === 'silent') },
        `template-${name}`,
      );
    }
    const left = [...this.input.workers];
    const register = async (): Promise<void> => {
      for (let machine = left.pop(); machine; machine = left.pop()) await this.register(machine.id, machine.mac);
    };
    await Promise.all(Array.from({ length: 8 }, register));
  }

  private async register(id: string, mac: string): Promise<void> {
    const body = { id, metadata: {}, network: { interfaces: [{ dhcp: { mac }, netboot: { allow_workflow: true } }] } };
    const pushed = await this.client.post<{ position: number }>('/api/hardware', body, `hardware-${id}`);
    if (pushed) this.ledger.add({ t: 'hardware', id, mac, position: pushed.position });
  }

  /** Makes workflows, one after the other for the same machine mostly, until the signal aborts; then waits until all have ended. */
  async run(stop: AbortSignal, report: (message: LoadMessage) => void): Promise<void> {
    const store = await JetStreamEventStore.connect({
      ...{ ...this.input.engine, name: 'chaos', allowLazySync: true },
    });
    const following = this.progress.follow(store, this.done.signal);
    const buses = await this.connect();
    const workers = this.input.workers.flatMap(({ id, machines }, n) =>
      Array.from({ length: machines }, (_, i) => this.worker(id, buses[(n + i) % buses.length], i, machines > 1)),
    );
    const working = workers.map((worker) => worker.run());
    this.crashes = crashChance;
    const clocks = this.stepClocks(workers, stop);
    const ticker = setInterval(() => report(this.message()), 1_000);
    await this.make(stop);
    this.crashes = 0;
    await Promise.all([clocks, ...this.requesting]);
    await this.drain();
    report(this.message());
    clearInterval(ticker);
    this.done.abort();
    await Promise.all([...working, following]);
    await Promise.all(buses.map((bus) => bus.close()));
    await store.close();
  }

  /** Until every workflow has ended, or none has for a long time: then the checker says which. */
  private async drain(): Promise<void> {
    let [open, since] = [Number.POSITIVE_INFINITY, performance.now()];
    while (this.progress.begun < this.requested || this.progress.open.length > 0) {
      if (this.progress.open.length < open) [open, since] = [this.progress.open.length, performance.now()];
      if (performance.now() - since > this.input.patienceSeconds * 1000) return;
      await pause(200);
    }
  }

  private message(): LoadMessage {
    return { t: 'progress', begun: this.progress.begun, open: this.progress.open.length };
  }

  private connect(): Promise<readonly NatsBus[]> {
    const count = Math.ceil(this.input.workers.length / workersPerConnection);
    return Promise.all(
      Array.from({ length: count }, (_, i) => NatsBus.connect({ ...this.input.engine, name: `workers ${i}` })),
    );
  }

  private worker(id: string, bus: NatsBus | undefined, i: number, twin: boolean): Worker {
    if (!bus) throw new Error('no connection');
    const { ledger, done } = this;
    const random = this.random.fork(`worker-${id}-${i}`);
    return new Worker({ id, bus, random, ledger, twin, crash: () => this.crashes, stop: done.signal });
  }

  private async make(stop: AbortSignal): Promise<void> {
    const { workers, rate } = this.input;
    const random = this.random.fork('workflows');
    // As many open ones as there are machines at most: the queue must not grow without bounds while a fault lasts.
    for (let n = 0; !stop.aborted; n++) {
      await pause(1000 / rate, stop);
      const machine = workers[random.between(0, workers.length - 1)];
      if (!machine || this.progress.open.length + this.requesting.size >= workers.length) continue;
      const silent = random.chance(0.04);
      const request = this.create(n, machine.mac, silent ? templates.silent : templates.plain);
      this.requesting.add(request);
      void request.finally(() => this.requesting.delete(request));
      // Now and then a race for one address: two machines that want the same.
      if (random.chance(0.05)) this.race(n, random);
    }
  }

  private async create(n: number, mac: string, template: string): Promise<void> {
    const body = { template, hardware: { device_1: mac } };
    const created = await this.client.post<{ id: string; position: number }>('/api/workflows', body, `workflow-${n}`);
    if (!created) return;
    this.requested++;
    this.ledger.add({ t: 'created', workflowId: created.id, position: created.position });
  }

  /** Two records with one MAC at once; the loser is refused, and who wins is for the checker to see. */
  private race(n: number, random: Random): void {
    const mac = `02:00:00:${[n >> 16, n >> 8, n].map((part) => (part & 255).toString(16).padStart(2, '0')).join(':')}`;
    for (const who of [1, 2]) {
      const id = `00000000-0000-4000-8${who}00-${String(random.between(0, 999_999_999)).padStart(12, '0')}`;
      const pushing = this.register(id, mac).catch(() => undefined);
      this.requesting.add(pushing);
      void pushing.finally(() => this.requesting.delete(pushing));
    }
  }

  private async stepClocks(workers: readonly Worker[], stop: AbortSignal): Promise<void> {
    const random = this.random.fork('clocks');
    while (!stop.aborted) {
      await pause(3_000, stop);
      const worker = workers[random.between(0, workers.length - 1)];
      if (worker) worker.clockMs = random.pick([0, 3_600_000, -3_600_000, -1_700_000_000_000]);
    }
  }
}

function templateText(name: string, silent: boolean): string {
  const action = (title: string, timeout: number) => [
    `      - name: ${title}`,
    '        image: chaos',
    `        timeout: ${timeout}`,
  ];
  // The silent one runs out of time on the server; all others have time enough for every fault of a run.
  const actions = silent
    ? [...action('first', 3_600), ...action('silent', 2)]
    : ['first', 'second', 'third'].flatMap((title) => action(title, 3_600));
  return [
    ...['version: "0.1"', `name: ${name}`, 'global_timeout: 0', 'tasks:', '  - name: task'],
    ...['    worker: "{{.device_1}}"', '    actions:', ...actions, ''],
  ].join('\n');
}
