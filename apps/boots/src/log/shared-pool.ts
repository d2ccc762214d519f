import { type Decider, DomainError, type PoolSaving } from '@tinkerbell/domain';
import type { DhcpServiceEvent, LeaseEvent, PoolTaken } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import type { Logger } from '../logger';
import { PoolSnapshots } from './pool-snapshots';
import { type PoolPost, type PoolRole, PoolTerms } from './pool-terms';
import { type Settled, StreamWriter } from './stream-writer';

/** The rules of one kind of pool. */
export interface PoolRules<C, S> {
  readonly decider: Decider<C, S, LeaseEvent | DhcpServiceEvent>;
  readonly saving: PoolSaving<S>;
  takePool(taken: PoolTaken['data']): C;
  /** Leases. */
  sizeOf(state: S): number;
}

export interface PoolPorts {
  /** Without it this instance is the only one, and always active. */
  readonly post?: PoolPost | undefined;
  /** Where the leases lie for the next start; without it, that reads them all from the log. */
  readonly saved?: { readonly folder: string; readonly log: Logger } | undefined;
}

/** How often it is asked whether a new snapshot is worth it. */
const saveMs = 10_000;
/** Events since the last one: reading them takes a fraction of a second. With many leases, half as many as there are. */
const leastSaved = 10_000;

/** The leases of one stream: who may write them, and what they are kept in between two runs. */
export class SharedPool<C, S extends { readonly taken: PoolTaken['data'] | undefined }> {
  readonly #stream: string;
  readonly #writer: StreamWriter<C, S, LeaseEvent | DhcpServiceEvent>;
  readonly #terms: PoolTerms<C, S, LeaseEvent | DhcpServiceEvent>;
  readonly #snapshots: PoolSnapshots<S> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnding = false;
  #saving: Promise<void> = Promise.resolve();
  /** Events that the last snapshot holds of those since the start. */
  #saved = 0;

  protected constructor(
    store: EventStore,
    readonly name: string,
    private readonly rules: PoolRules<C, S>,
    private readonly ports: PoolPorts,
  ) {
    const { post, saved } = ports;
    this.#stream = subjects.stream('lease', name);
    this.#writer = new StreamWriter(store, rules.decider, this.#stream, 'boots', post ? 'in-terms' : 'often');
    this.#snapshots = saved && new PoolSnapshots(saved.folder, name, rules.saving, saved.log);
    this.#terms = new PoolTerms(name, this.#writer, post, {
      takePool: (taken) => rules.takePool(taken),
      size: () => this.size,
    });
  }

  /** Reads the leases, then does `prepare`. Who answered last is watched meanwhile: that may be an end that this is the start after. */
  protected async open(prepare: () => Promise<void> = () => Promise.resolve()): Promise<this> {
    const loaded = this.#load().then(prepare);
    this.#terms.open(loaded);
    try {
      await loaded;
    } catch (error) {
      await this.#terms.close();
      throw error;
    }
    this.#timer = setInterval(() => void this.#save(Math.max(leastSaved, this.size / 2)), saveMs).unref();
    return this;
  }

  async #load(): Promise<void> {
    const saved = await this.#snapshots?.read(this.#stream);
    const isOurs = saved !== undefined && (await this.#writer.resume(saved, saved.through));
    if (saved && !isOurs) this.#snapshots?.ignore('not of this log, or the log was cut since');
    await this.#writer.loadAll();
    if (isOurs) this.#snapshots?.used(this.#writer.events);
  }

  /** Gives the pool to another instance, at once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isEnding = true;
    await this.#terms.close();
    await this.#save(1);
  }

  /** When at least `least` events came since the last time. */
  #save(least: number): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveNow(least));
    return this.#saving;
  }

  async #saveNow(least: number): Promise<void> {
    const { events, folded } = this.#writer;
    if (!this.#snapshots || events - this.#saved < least) return;
    try {
      const last = () => this.#writer.folded.head;
      await this.#snapshots.write(this.#stream, folded, last, () => this.#isEnding);
      this.#saved = events;
    } catch (error) {
      this.#snapshots.failed(error);
    }
  }

  /** Whether this instance may answer. Asked again after a wait: a process can have been stopped meanwhile. */
  get isActive(): boolean {
    return this.#terms.isActive;
  }

  get role(): PoolRole {
    const active = this.ports.post && this.folded.taken?.address;
    return { pool: this.name, role: this.isActive ? 'active' : 'standby', active };
  }

  /** How often this instance became the active one. */
  get takeovers(): number {
    return this.#terms.takeovers;
  }

  /** Calls back now, if this instance is the active one, and each time that it becomes that. */
  onActive(told: () => void): void {
    this.#terms.onActive(told);
  }

  /** What is to be done after each take-over, before this instance answers: the leases stay what they are meanwhile. */
  beforeActive(prepare: () => Promise<void>): void {
    this.#terms.beforeActive(prepare);
  }

  /**
   * Resolves when the facts are stored; throws DomainError when the pool's rules refuse them, StandbyError when another instance answers
   * by now. `actor`: in whose name, when it is not boots' own doing.
   */
  submit(commands: readonly C[], actor?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.put(commands, (error) => (error === undefined ? resolve() : reject(error)), actor);
    });
  }

  /** As `submit`, without a promise. */
  put(commands: readonly C[], settled: Settled, actor?: string): void {
    this.#terms.put(commands, settled, actor);
  }

  /** What each of the commands would lead to, one after the other. Nothing is stored. */
  rehearse(commands: readonly C[]): readonly (readonly (LeaseEvent | DhcpServiceEvent)[] | DomainError)[] {
    const { decider } = this.rules;
    let state = this.folded;
    return commands.map((command) => {
      try {
        const events = decider.decide(command, state);
        state = events.reduce((before, event) => decider.evolve(before, event), state);
        return events;
      } catch (error) {
        if (error instanceof DomainError) return error;
        throw error;
      }
    });
  }

  /** Everything that the stream says, as of the last commit. */
  protected get folded(): S {
    return this.#writer.state;
  }

  get size(): number {
    return this.rules.sizeOf(this.folded);
  }
}
