import { randomUUID } from 'node:crypto';
import { type Decider, DomainError } from '@tinkerbell/domain';
import type { Event } from '@tinkerbell/events';
import { ConcurrencyError, emptyHead, type EventStore, type StreamHead } from '@tinkerbell/event-store';

/** Commands that share one commit, at most: a commit is one message of at most 1 MiB. */
const maxBatch = 500;
const maxAttempts = 3;

interface Waiting<C> {
  readonly commands: readonly C[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one writer of a stream, with its state in memory. While a commit is on its way to the disk the next commands gather, and go into
 * one commit together: that is what makes durable leases fast.
 */
export class StreamWriter<C, S, E extends Event> {
  #state: S;
  #head: StreamHead = emptyHead;
  #loaded = false;
  #waiting: Waiting<C>[] = [];
  #working = false;

  constructor(
    private readonly store: EventStore,
    private readonly decider: Decider<C, S, E>,
    private readonly stream: string,
    private readonly actor: string,
  ) {
    this.#state = decider.initial;
  }

  /** As of the last commit. Call `load` first. */
  get state(): S {
    return this.#state;
  }

  get isIdle(): boolean {
    return !this.#working;
  }

  async load(): Promise<void> {
    const { events, head } = await this.store.read<E>(this.stream);
    this.#state = events.reduce((state, { event }) => this.decider.evolve(state, event), this.decider.initial);
    this.#head = head;
    this.#loaded = true;
  }

  /**
   * Resolves when everything that follows from the commands is stored. They are judged one after the other; a DomainError rejects this
   * call and leaves others in the same commit alone. Rejects with StoreUnavailableError when nobody knows.
   */
  submit(...commands: readonly C[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commands, resolve, reject });
      if (!this.#working) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxBatch);
      try {
        await this.#commit(batch);
      } catch (error) {
        // What was stored is not known: read it again before the next decision.
        this.#loaded = false;
        for (const { reject } of batch) reject(error);
      }
    }
    this.#working = false;
  }

  async #commit(batch: readonly Waiting<C>[]): Promise<void> {
    const id = randomUUID();
    for (let attempt = 1; ; attempt++) {
      if (!this.#loaded) await this.load();
      const { events, state, refused } = this.#judge(batch);
      try {
        const metadata = { id, actor: this.actor };
        const appended =
          events.length > 0
            ? await this.store.append(this.stream, events, { expected: this.#head, metadata })
            : undefined;
        this.#head = appended?.head ?? this.#head;
        this.#state = state;
      } catch (error) {
        if (!(error instanceof ConcurrencyError) || attempt === maxAttempts) throw error;
        this.#loaded = false;
        continue;
      }
      for (const waiting of batch) {
        const error = refused.get(waiting);
        if (error) waiting.reject(error);
        else waiting.resolve();
      }
      return;
    }
  }

  #judge(batch: readonly Waiting<C>[]) {
    const refused = new Map<Waiting<C>, DomainError>();
    const events: E[] = [];
    let state = this.#state;
    for (const waiting of batch) {
      try {
        const own: E[] = [];
        let next = state;
        for (const command of waiting.commands) {
          const decided = this.decider.decide(command, next);
          next = decided.reduce((s, event) => this.decider.evolve(s, event), next);
          own.push(...decided);
        }
        events.push(...own);
        state = next;
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        refused.set(waiting, error);
      }
    }
    return { events, state, refused };
  }
}
