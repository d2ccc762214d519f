import {
  activeLease,
  type Lease,
  leaseOfIp,
  type LeaseState,
  type PoolCommand,
  poolDecider,
  type PoolState,
} from '@tinkerbell/domain';
import { DomainError } from '@tinkerbell/domain';
import type { DhcpServiceEvent, LeaseEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { type Candidacy, type Leadership, type Lease as Held, pause, subjects } from '@tinkerbell/messaging';
import type { Logger } from '../logger';
import type { PoolSnapshots } from './pool-snapshots';
import { StreamWriter } from './stream-writer';

/** What it takes to share a pool with other instances of boots. */
export interface PoolPost {
  readonly leadership: Pick<Leadership, 'run'>;
  /** Where this instance is reached; in the log with every take-over. */
  readonly address: string;
  readonly log: Logger;
}

export interface PoolRole {
  readonly pool: string;
  readonly role: 'active' | 'standby';
  /** Where the active one is reached, as far as the log says. */
  readonly active: string | undefined;
}

/** Another instance answers for the pool. */
export class StandbyError extends Error {}

/** Before what another one stores is read again after a fault. */
const retryMs = 1000;
/** How often it is asked whether a new snapshot is worth it. */
const saveMs = 10_000;
/** Events since the last one: reading them takes a fraction of a second. With many leases, half as many as there are. */
const leastSaved = 10_000;

/**
 * The leases of one pool. Of all instances on it one is active and writes its stream (ADR 0016); the others take in what it stores, and
 * submit nothing.
 */
export class LeasePool {
  #candidacy: Candidacy | undefined;
  /** While this instance is the active one. */
  #term: Held | undefined;
  #endTerm: () => void = () => undefined;
  #following = new AbortController();
  #followed: Promise<void> = Promise.resolve();
  #takeovers = 0;
  readonly #told: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  /** Events that the last snapshot holds of those since the start. */
  #saved = 0;

  private constructor(
    readonly name: string,
    private readonly writer: StreamWriter<PoolCommand, PoolState, LeaseEvent | DhcpServiceEvent>,
    private readonly post: PoolPost | undefined,
    private readonly snapshots: PoolSnapshots | undefined,
  ) {}

  /** Without `post` this instance is the only one, and always active. */
  static async open(store: EventStore, name: string, post?: PoolPost, snapshots?: PoolSnapshots): Promise<LeasePool> {
    const stream = subjects.stream('lease', name);
    const writer = new StreamWriter(store, poolDecider, stream, 'boots', post ? 'in-terms' : 'often');
    const folded = await snapshots?.read(stream);
    if (folded && !(await writer.resume(folded))) snapshots?.ignore('not of this log, or the log was cut since');
    await writer.loadAll();
    const pool = new LeasePool(name, writer, post, snapshots);
    pool.#timer = setInterval(() => void pool.#save(Math.max(leastSaved, pool.size / 2)), saveMs).unref();
    if (post) {
      pool.#follow();
      pool.#candidacy = post.leadership.run(`pool-${name}`, (held) => pool.#serve(held, post));
    }
    return pool;
  }

  /** Gives the pool to another instance, at once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#candidacy?.close();
    this.#following.abort();
    await this.#followed;
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
    return this.post === undefined || this.#term?.isHeld() === true;
  }

  get role(): PoolRole {
    const active = this.post && this.writer.state.taken?.address;
    return { pool: this.name, role: this.isActive ? 'active' : 'standby', active };
  }

  /** How often this instance became the active one. */
  get takeovers(): number {
    return this.#takeovers;
  }

  /** Calls back now, if this instance is the active one, and each time that it becomes that. */
  onActive(told: () => void): void {
    this.#told.push(told);
    if (this.isActive) told();
  }

  /**
   * Resolves when the facts are stored; throws DomainError when the pool's rules refuse them, StandbyError when another instance answers
   * by now.
   */
  async submit(commands: readonly PoolCommand[]): Promise<void> {
    if (commands.length === 0) return;
    this.#check();
    try {
      await this.writer.submit(...commands);
    } catch (error) {
      if (!(error instanceof DomainError)) this.#endTerm();
      throw error;
    }
    this.#check();
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

  #check(): void {
    if (!this.isActive) throw new StandbyError(`another boots answers for pool ${this.name}`);
  }

  /** One term, from the commit that fences off whoever was active before to the first one that is not stored. */
  async #serve(held: Held, { address, log }: PoolPost): Promise<void> {
    this.#following.abort();
    await this.#followed;
    const over = new Promise<void>((resolve) => {
      this.#endTerm = resolve;
      held.signal.addEventListener('abort', () => resolve(), { once: true });
      if (held.signal.aborted) resolve();
    });
    try {
      await this.writer.begin({ type: 'TakePool', address, epoch: held.epoch });
      this.#term = held;
      this.#takeovers++;
      for (const told of this.#told) told();
      log.info(`pool ${this.name}: active since now, epoch ${held.epoch}, ${this.size} leases`);
      await over;
    } finally {
      this.#term = undefined;
      await this.writer.end();
      log.info(`pool ${this.name}: standby, no DHCP message is answered`);
      this.#follow();
    }
  }

  #follow(): void {
    this.#following = new AbortController();
    this.#followed = this.#takeIn(this.#following.signal);
  }

  async #takeIn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.writer.follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.post?.log.error(`pool ${this.name}: cannot take in what is stored: ${String(error)}`);
        await pause(retryMs, signal);
      }
    }
  }
}
