// The workers of one site and the operator that gives them work, in a process of their own: crew.child, told by IPC what to do.
import { setMaxListeners } from 'node:events';
import { NatsBus } from '@tinkerbell/messaging';
import { Api } from './api';
import { machineCount, machineOf, type SimulatedMachine } from './machines';
import { templateName, templateText } from './template';
import { SimulatedWorker, type WorkerEvents } from './worker';

export interface CrewInput {
  /** Of tink-server's HTTP API. */
  readonly port: number;
  readonly engine: { readonly servers: string; readonly ca?: string; readonly creds?: string };
}

/** `rate`: new workflows in a second; null: as soon as a machine has none. */
export interface Shift {
  readonly rate: number | null;
  /** Workflows that end before it is measured, and while it is. */
  readonly warmUp: number;
  readonly workflows: number;
}

export interface ShiftResult {
  readonly seconds: number;
  /** Workflows that ended meanwhile. */
  readonly finished: number;
  /** New ones that no machine was free for. */
  readonly missed: number;
  /** From the report of an action's end to the next action, milliseconds. */
  readonly nextMs: readonly number[];
}

export type CrewOrder =
  ({ readonly t: 'set-up' } & CrewInput) | ({ readonly t: 'shift' } & Shift) | { readonly t: 'stop' };
export type CrewMessage =
  | { readonly t: 'ready' | 'begun' | 'rested' }
  | ({ readonly t: 'ended' } & ShiftResult)
  | { readonly t: 'failed'; readonly why: string };

/** A connection for each would keep this process busy with nothing but encryption. */
const workersPerConnection = 10;
const patienceMs = 120_000;

class Crew implements WorkerEvents {
  private readonly api: Api;
  private buses: readonly NatsBus[] = [];
  private readonly stopped = new AbortController();
  private readonly machines = Array.from({ length: machineCount }, (_, n) => machineOf(n));
  /** Workflows of each machine that have not ended. */
  private readonly open = new Map<string, number>(this.machines.map(({ id }) => [id, 0]));
  private working: readonly Promise<void>[] = [];
  private rate: number | null = 0;
  private finished = 0;
  private missed = 0;
  private nextMs: number[] = [];

  constructor(
    private readonly input: CrewInput,
    private readonly say: (message: CrewMessage) => void,
    private readonly fail: (error: unknown) => void,
  ) {
    this.api = new Api(input.port);
    setMaxListeners(0, this.stopped.signal);
  }

  async setUp(): Promise<void> {
    await this.api.post('/api/templates', { name: templateName, data: templateText });
    const count = Math.ceil(machineCount / workersPerConnection);
    const connect = (_: unknown, n: number) => NatsBus.connect({ ...this.input.engine, name: `workers ${n}` });
    this.buses = await Promise.all(Array.from({ length: count }, connect));
    const workers = this.machines.flatMap((machine, n) => {
      const bus = this.buses[n % count];
      return bus ? [new SimulatedWorker(machine, bus, this)] : [];
    });
    this.working = workers.map((worker) => worker.run(this.stopped.signal));
    for (const each of this.working) each.catch(this.fail);
  }

  onNext(milliseconds: number): void {
    this.nextMs.push(milliseconds);
  }

  onFinished({ id, mac }: SimulatedMachine): void {
    this.finished++;
    this.open.set(id, (this.open.get(id) ?? 0) - 1);
    if (this.rate === null) this.create({ id, mac });
  }

  private create({ id, mac }: SimulatedMachine): void {
    this.open.set(id, (this.open.get(id) ?? 0) + 1);
    this.api.post('/api/workflows', { template: templateName, hardware: { device_1: mac } }).catch(this.fail);
  }

  async work({ rate, warmUp, workflows }: Shift): Promise<void> {
    this.rate = rate;
    const over = new AbortController();
    const paced = rate === null ? this.fill() : this.pace(rate, over.signal);
    await this.untilFinished(this.finished + warmUp);
    [this.finished, this.missed, this.nextMs] = [0, 0, []];
    const began = performance.now();
    this.say({ t: 'begun' });
    await this.untilFinished(workflows);
    const { finished, missed, nextMs } = this;
    this.say({ t: 'ended', seconds: (performance.now() - began) / 1000, finished, missed, nextMs });
    this.rate = 0;
    over.abort();
    await paced;
    await this.untilFinished(this.finished + this.sum());
    this.say({ t: 'rested' });
  }

  /** Throws when nobody gets on for a long time. */
  private async untilFinished(count: number): Promise<void> {
    let [before, since] = [-1, performance.now()];
    while (this.finished < count) {
      const done = this.finished + this.nextMs.length;
      if (done !== before) [before, since] = [done, performance.now()];
      if (performance.now() - since > patienceMs) throw new Error(`only ${this.finished} of ${count} workflows end`);
      await pause(10);
    }
  }

  private sum(): number {
    return [...this.open.values()].reduce((sum, count) => sum + count, 0);
  }

  private fill(): Promise<void> {
    for (const machine of this.machines) this.create(machine);
    return Promise.resolve();
  }

  private async pace(rate: number, over: AbortSignal): Promise<void> {
    const began = performance.now();
    let turn = 0;
    for (let n = 0; !over.aborted; n++) {
      const early = began + (n * 1000) / rate - performance.now();
      if (early > 0) await pause(early);
      const free = this.machines.findIndex((_, i) => this.open.get(this.at(turn + i).id) === 0);
      if (free < 0) this.missed++;
      else {
        this.create(this.at(turn + free));
        turn += free + 1;
      }
    }
  }

  private at(turn: number): SimulatedMachine {
    return machineOf(turn % machineCount);
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.working);
    await Promise.all(this.buses.map((bus) => bus.close()));
    this.api.close();
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function main(): void {
  const say = (message: CrewMessage) => void process.send?.(message);
  const fail = (error: unknown) =>
    say({ t: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  let crew: Crew | undefined;
  const obey = async (order: CrewOrder): Promise<void> => {
    if (order.t === 'set-up') {
      crew = new Crew(order, say, fail);
      await crew.setUp();
      say({ t: 'ready' });
    } else if (order.t === 'shift') await crew?.work(order);
    else {
      await crew?.stop();
      process.exit(0);
    }
  };
  process.on('message', (order) => void obey(order as CrewOrder).catch(fail));
  process.on('disconnect', () => process.exit(1)); // whoever started us is gone
}

main();
