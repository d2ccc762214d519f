import { Containers, workerLabel, type ContainerSpec, type ContainerStatus, type OutputSink } from './containers';

/** What a fake container does; `context.killed` is aborted when somebody stops it. */
export type Behaviour = (context: {
  readonly spec: ContainerSpec;
  readonly write: (stream: 'stdout' | 'stderr', text: string) => void;
  readonly killed: AbortSignal;
}) => Promise<number> | number;

interface Fake {
  readonly spec: ContainerSpec;
  status: ContainerStatus;
  readonly output: { stream: 'stdout' | 'stderr'; chunk: Buffer }[];
  readonly sinks: OutputSink[];
  readonly killing: AbortController;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

/** An engine in memory for specs. It outlives the worker that uses it, as a real one does. */
export class FakeContainers extends Containers {
  readonly calls: string[] = [];
  readonly pulled: string[] = [];
  behaviour: Behaviour = () => 0;
  /** Runs before the named call takes effect (`before:start`) or after it (`after:start`); may throw. */
  interfere: (point: string, name: string) => void | Promise<void> = () => {};
  private readonly all = new Map<string, Fake>();

  async version(): Promise<string> {
    return 'fake 1';
  }

  async pull(image: string, _auth: unknown, onProgress: (line: string) => void, signal: AbortSignal): Promise<void> {
    await this.interfere('before:pull', image);
    signal.throwIfAborted();
    this.pulled.push(image);
    onProgress(`Pulled ${image}`);
  }

  async create(spec: ContainerSpec): Promise<void> {
    await this.interfere('before:create', spec.name);
    if (this.all.has(spec.name)) throw new Error(`the name ${spec.name} is in use`);
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const status = { state: 'created', exitCode: 0, oomKilled: false, error: '' } as const;
    this.all.set(spec.name, { spec, status, output: [], sinks: [], killing: new AbortController(), ended, end });
    this.calls.push(`create ${spec.name}`);
    await this.interfere('after:create', spec.name);
  }

  async inspect(name: string): Promise<ContainerStatus | undefined> {
    return this.all.get(name)?.status;
  }

  async start(name: string): Promise<void> {
    await this.interfere('before:start', name);
    const fake = this.get(name);
    this.calls.push(`start ${name}`);
    fake.status = { ...fake.status, state: 'running' };
    const write = (stream: 'stdout' | 'stderr', text: string) => {
      const chunk = Buffer.from(text);
      fake.output.push({ stream, chunk });
      fake.sinks.forEach((sink) => sink(stream, chunk));
    };
    void Promise.resolve(this.behaviour({ spec: fake.spec, write, killed: fake.killing.signal })).then((exitCode) => {
      fake.status = { ...fake.status, state: 'exited', exitCode };
      fake.end();
    });
    await this.interfere('after:start', name);
  }

  async output(name: string, from: 'attach' | 'replay', sink: OutputSink): Promise<{ ended: Promise<void> }> {
    const fake = this.get(name);
    if (from === 'replay') fake.output.forEach(({ stream, chunk }) => sink(stream, chunk));
    fake.sinks.push(sink);
    return { ended: fake.ended };
  }

  async wait(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const gone = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
    );
    await Promise.race([this.get(name).ended, gone]);
    await this.interfere('after:wait', name);
  }

  async stop(name: string): Promise<void> {
    this.calls.push(`stop ${name}`);
    this.get(name).killing.abort();
    await this.get(name).ended;
  }

  async remove(name: string): Promise<void> {
    await this.interfere('before:remove', name);
    this.all.get(name)?.killing.abort();
    if (this.all.delete(name)) this.calls.push(`remove ${name}`);
    await this.interfere('after:remove', name);
  }

  async list(workerId: string): Promise<readonly string[]> {
    return [...this.all.values()]
      .filter(({ spec }) => spec.labels[workerLabel] === workerId)
      .map(({ spec }) => spec.name);
  }

  private get(name: string): Fake {
    const fake = this.all.get(name);
    if (!fake) throw new Error(`no such container: ${name}`);
    return fake;
  }
}
