import { ActionLoop } from '../action-loop';
import { Bus } from '../bus/bus';
import type { FakeBus } from '../bus/fake';
import { Containers, type ContainerSpec, type OutputSink, type RegistryAuth } from '../containers/containers';
import { Journal } from '../journal/journal';
import { defaultPace } from '../pace';
import type { WorkerSettings } from '../settings';
import { WorkerLog } from '../worker-log';
import { workerId } from './fake-server';

export const quickPace = {
  ...defaultPace,
  retryMs: 1,
  maxRetryMs: 2,
  idleMs: 2,
  stateMs: 2,
  stopGraceMs: 1,
  closeMs: 1_000,
};

export class SilentLog extends WorkerLog {
  readonly lines: string[] = [];
  stage(text: string): void {
    this.lines.push(text);
  }
  info(text: string): void {
    this.lines.push(text);
  }
  warn(text: string): void {
    this.lines.push(text);
  }
}

export class Crash extends Error {}

/** Called before and after everything that reaches outside the process: `publish:before`, `create:after`, … Throws Crash to end it. */
export type Probe = (point: string) => void;

/** The end of a process: what it awaited never comes. */
const forever = new Promise<never>(() => {});

/**
 * One process of the worker, over a bus, an engine and a disk that outlive it. When the probe throws Crash nothing it does reaches the
 * outside any more.
 */
export class Life {
  readonly loop: ActionLoop;
  readonly log = new SilentLog();
  readonly crashed: Promise<void>;
  dead = false;
  private die: () => void = () => {};

  constructor(
    readonly directory: string,
    bus: FakeBus,
    containers: Containers,
    private readonly probe: Probe = () => {},
    more: Partial<WorkerSettings> = {},
  ) {
    this.crashed = new Promise((resolve) => (this.die = resolve));
    const settings: WorkerSettings = {
      workerId,
      publicKey: `U${'A'.repeat(55)}`,
      bootId: 'boot-1',
      stateDirectory: `${directory}/state`,
      workflowDirectory: `${directory}/worker`,
      registry: { address: 'registry:5000', username: 'u', password: 'p' },
      maxDataBytes: 1000,
      rebootCommand: '',
      captureOutput: true,
      parallel: 1,
      sysDirectory: `${directory}/sys`,
      pace: quickPace,
      ...more,
    };
    const journal = this.mortalJournal(Journal.open(settings.stateDirectory));
    this.loop = new ActionLoop(settings, this.mortal(containers), journal, this.mortalBus(bus), this.log);
  }

  private async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.dead || this.hits(`${name}:before`)) return forever;
    const result = await work();
    if (this.dead || this.hits(`${name}:after`)) return forever;
    return result;
  }

  private hits(point: string): boolean {
    try {
      this.probe(point);
      return false;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.dead = true;
      this.die();
      return true;
    }
  }

  private mortalJournal(journal: Journal): Journal {
    const append = journal.append.bind(journal);
    journal.append = (...entries) => {
      if (this.dead || this.hits('journal:before')) throw new Crash();
      append(...entries);
      if (this.hits('journal:after')) throw new Crash();
    };
    return journal;
  }

  private mortalBus(bus: FakeBus): Bus {
    const step = this.step.bind(this);
    const isDead = () => this.dead;
    return new (class extends Bus {
      get connected() {
        return bus.connected && !isDead();
      }
      publish = (subject: string, body: object, id: string) => {
        const kind = subject.startsWith('tink.log') ? 'log' : `report ${subject.split('.').at(-1)}`;
        return step(kind, () => bus.publish(subject, body, id));
      };
      request = (subject: string, body: object) =>
        step(`ask ${subject.split('.').at(-1)}`, () => bus.request(subject, body));
      onWake = (subject: string, wake: () => void) => bus.onWake(subject, wake);
      close = () => bus.close();
    })();
  }

  private mortal(inner: Containers): Containers {
    const step = this.step.bind(this);
    return new (class extends Containers {
      version = () => step('version', () => inner.version());
      pull = (image: string, auth: RegistryAuth | undefined, onProgress: (line: string) => void, signal: AbortSignal) =>
        step('pull', () => inner.pull(image, auth, onProgress, signal));
      create = (spec: ContainerSpec) => step('create', () => inner.create(spec));
      inspect = (name: string) => step('inspect', () => inner.inspect(name));
      start = (name: string) => step('start', () => inner.start(name));
      output = (name: string, from: 'attach' | 'replay', sink: OutputSink) =>
        step('output', () => inner.output(name, from, sink));
      wait = (name: string, signal: AbortSignal) => step('wait', () => inner.wait(name, signal));
      stop = (name: string, graceMs: number) => step('stop', () => inner.stop(name, graceMs));
      remove = (name: string) => step('remove', () => inner.remove(name));
      list = (id: string) => step('list', () => inner.list(id));
    })();
  }
}
