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

  private constructor(
    readonly name: string,
    private readonly writer: StreamWriter<PoolCommand, PoolState, LeaseEvent | DhcpServiceEvent>,
    private readonly post: PoolPost | undefined,
  ) {}

  /** Without `post` this instance is the only one, and always active. */
  static async open(store: EventStore, name: string, post?: PoolPost): Promise<LeasePool> {
    const stream = subjects.stream('lease', name);
    const writer = new StreamWriter(store, poolDecider, stream, 'boots', post ? 'in-terms' : 'often');
    await writer.load();
    const pool = new LeasePool(name, writer, post);
    if (post) {
      pool.#follow();
      pool.#candidacy = post.leadership.run(`pool-${name}`, (held) => pool.#serve(held, post));
    }
    return pool;
  }

  /** Gives the pool to another instance, at once. */
  async close(): Promise<void> {
    await this.#candidacy?.close();
    this.#following.abort();
    await this.#followed;
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
