import {
  activeLease,
  type Lease,
  leaseOfIp,
  type LeaseState,
  type PoolCommand,
  poolDecider,
  type PoolState,
} from '@tinkerbell/domain';
import type { DhcpServiceEvent, LeaseEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import type { PoolSnapshots } from './pool-snapshots';
import { type PoolPost, type PoolRole, PoolTerms } from './pool-terms';
import { StreamWriter } from './stream-writer';

type PoolWriter = StreamWriter<PoolCommand, PoolState, LeaseEvent | DhcpServiceEvent>;

/** How often it is asked whether a new snapshot is worth it. */
const saveMs = 10_000;
/** Events since the last one: reading them takes a fraction of a second. With many leases, half as many as there are. */
const leastSaved = 10_000;

/** The leases of one pool. */
export class LeasePool {
  readonly #terms: PoolTerms<PoolCommand, PoolState, LeaseEvent | DhcpServiceEvent>;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  /** Events that the last snapshot holds of those since the start. */
  #saved = 0;

  private constructor(
    readonly name: string,
    private readonly writer: PoolWriter,
    private readonly post: PoolPost | undefined,
    private readonly snapshots: PoolSnapshots | undefined,
  ) {
    this.#terms = new PoolTerms(name, writer, post, {
      takePool: (taken) => ({ type: 'TakePool', ...taken }),
      size: () => this.size,
    });
  }

  /** Without `post` this instance is the only one, and always active. */
  static async open(store: EventStore, name: string, post?: PoolPost, snapshots?: PoolSnapshots): Promise<LeasePool> {
    const stream = subjects.stream('lease', name);
    const writer: PoolWriter = new StreamWriter(store, poolDecider, stream, 'boots', post ? 'in-terms' : 'often');
    const folded = await snapshots?.read(stream);
    if (folded && !(await writer.resume(folded))) snapshots?.ignore('not of this log, or the log was cut since');
    await writer.loadAll();
    const pool = new LeasePool(name, writer, post, snapshots);
    pool.#timer = setInterval(() => void pool.#save(Math.max(leastSaved, pool.size / 2)), saveMs).unref();
    pool.#terms.open();
    return pool;
  }

  /** Gives the pool to another instance, at once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#terms.close();
    await this.#save(1);
  }

  /** When at least `least` events came since the last time. */
  #save(least: number): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveNow(least));
    return this.#saving;
  }

  async #saveNow(least: number): Promise<void> {
    const { events, folded } = this.writer;
    if (!this.snapshots || events - this.#saved < least) return;
    try {
      await this.snapshots.write(subjects.stream('lease', this.name), folded);
      this.#saved = events;
    } catch (error) {
      this.snapshots.failed(error);
    }
  }

  /** Whether this instance may answer. Asked again after a wait: a process can have been stopped meanwhile. */
  get isActive(): boolean {
    return this.#terms.isActive;
  }

  get role(): PoolRole {
    const active = this.post && this.writer.state.taken?.address;
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
   * by now.
   */
  submit(commands: readonly PoolCommand[]): Promise<void> {
    return this.#terms.submit(commands);
  }

  lease(mac: string, now: string): Lease | undefined {
    return activeLease(this.writer.state.leases, mac, now);
  }

  holderOf(address: string, now: string): Lease | undefined {
    return leaseOfIp(this.writer.state.leases, address, now);
  }

  /** All leases, as of the last commit. */
  get state(): LeaseState {
    return this.writer.state.leases;
  }

  get size(): number {
    return this.writer.state.leases.byIp.size;
  }
}
