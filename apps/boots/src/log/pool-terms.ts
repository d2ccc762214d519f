import { DomainError } from '@tinkerbell/domain';
import type { Event } from '@tinkerbell/events';
import { type Candidacy, type Leadership, type Lease as Held, pause } from '@tinkerbell/messaging';
import type { Logger } from '../logger';
import type { LogClock } from './log-clock';
import type { Settled, StreamWriter } from './stream-writer';

/** What it takes to share a pool with other instances of boots. */
export interface PoolPost {
  readonly leadership: Pick<Leadership, 'run'>;
  /** Where this instance is reached; in the log with every take-over. */
  readonly address: string;
  readonly log: Logger;
  /** Compared with the clock of the log at each take-over. */
  readonly clock?: Pick<LogClock, 'compare'>;
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
 * The terms of office of one instance. Of all instances on a pool one is active and writes its stream (ADR 0016); the others take in what
 * it stores, and submit nothing.
 */
export class PoolTerms<C, S, E extends Event> {
  #candidacy: Candidacy | undefined;
  /** While this instance is the active one. */
  #term: Held | undefined;
  #endTerm: () => void = () => undefined;
  #following = new AbortController();
  #followed: Promise<void> = Promise.resolve();
  #takeovers = 0;
  readonly #told: (() => void)[] = [];
  #prepare: () => Promise<void> = () => Promise.resolve();

  /** Without `post` this instance is the only one, and always active. `size`: leases, for the log. */
  constructor(
    private readonly name: string,
    private readonly writer: StreamWriter<C, S, E>,
    private readonly post: PoolPost | undefined,
    private readonly about: {
      takePool(taken: { readonly address: string; readonly epoch: number }): C;
      size(): number;
    },
  ) {}

  /** `loaded`: this instance knows what is stored, and can answer. */
  open(loaded: Promise<void>): void {
    const { post } = this;
    if (!post) return;
    loaded.then(
      () => this.#follow(),
      () => undefined,
    );
    const serve = (held: Held) => loaded.then(() => this.#serve(held, post));
    this.#candidacy = post.leadership.run(`pool-${this.name}`, serve, loaded);
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

  /** How often this instance became the active one. */
  get takeovers(): number {
    return this.#takeovers;
  }

  /** Calls back now, if this instance is the active one, and each time that it becomes that. */
  onActive(told: () => void): void {
    this.#told.push(told);
    if (this.isActive) told();
  }

  /** What this instance has to do after it took the pool and before it answers. */
  beforeActive(prepare: () => Promise<void>): void {
    this.#prepare = prepare;
  }

  /**
   * Calls back when the facts are stored; with a DomainError when the pool's rules refuse them, a StandbyError when another instance answers
   * by now.
   */
  put(commands: readonly C[], settled: Settled, actor?: string): void {
    if (commands.length === 0 || !this.isActive) {
      settled(commands.length === 0 ? undefined : this.#standby());
      return;
    }
    const told = (error?: unknown) => {
      if (error !== undefined && !(error instanceof DomainError)) this.#endTerm();
      settled(error === undefined && !this.isActive ? this.#standby() : error);
    };
    this.writer.put(commands, told, actor);
  }

  #standby(): StandbyError {
    return new StandbyError(`another boots answers for pool ${this.name}`);
  }

  /** One term, from the commit that fences off whoever was active before to the first one that is not stored. */
  async #serve(held: Held, { address, log, clock }: PoolPost): Promise<void> {
    this.#following.abort();
    await this.#followed;
    const over = new Promise<void>((resolve) => {
      this.#endTerm = resolve;
      held.signal.addEventListener('abort', () => resolve(), { once: true });
      if (held.signal.aborted) resolve();
    });
    try {
      const begin = () => this.writer.begin(this.about.takePool({ address, epoch: held.epoch }));
      if (clock) await clock.compare(() => begin().then(() => this.writer.lastAt()));
      else await begin();
      await this.#prepare();
      this.#term = held;
      this.#takeovers++;
      for (const told of this.#told) told();
      log.info(`pool ${this.name}: active since now, epoch ${held.epoch}, ${this.about.size()} leases`);
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
