import { randomUUID } from 'node:crypto';
import { type Decider, DomainError } from '@tinkerbell/domain';
import type { Event, Metadata, Recorded } from '@tinkerbell/events';
import { type Commit, ConcurrencyError, emptyHead, type EventStore, type StreamHead } from '@tinkerbell/event-store';

/** Commands that share one commit, at most: a commit is one message of at most 1 MiB. */
const maxBatch = 500;
const maxAttempts = 3;
/** Commits that another writer may squeeze in before a term begins. */
const maxBeginnings = 20;

interface Waiting<C> {
  /** Who wants it; undefined: this writer itself. */
  readonly actor: string | undefined;
  readonly commands: readonly C[];
  readonly settled: Settled;
}

/** Told once: whether everything is stored, or the error. Throws nothing. */
export type Settled = (error?: unknown) => void;

/** A state, and the commit that led to it. */
export interface Folded<S> {
  readonly head: StreamHead;
  readonly state: S;
}

/** Nothing was stored: another writer may have the stream now. */
export class TermOverError extends Error {}

/**
 * The one writer of a stream, with its state in memory. While a commit is on its way to the disk the next commands gather, and go into
 * one commit together: that is what makes durable leases fast.
 *
 * `often`: a writer that loses a race reads what the other one stored and decides again. `in-terms`: it stores something only between
 * `begin` and `end`, each commit right behind its own last one; the first that is not stored there ends the term.
 */
export class StreamWriter<C, S, E extends Event> {
  #state: S;
  #head: StreamHead = emptyHead;
  #events = 0;
  #isCurrent = false;
  #waiting: Waiting<C>[] = [];
  #working: Promise<void> | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly decider: Decider<C, S, E>,
    private readonly stream: string,
    private readonly actor: string,
    private readonly writes: 'often' | 'in-terms' = 'often',
  ) {
    this.#state = decider.initial;
  }

  /** As of the last commit. Call `load` first. */
  get state(): S {
    return this.#state;
  }

  get folded(): Folded<S> {
    return { head: this.#head, state: this.#state };
  }

  /** How many led from the state that this began with to the present one. */
  get events(): number {
    return this.#events;
  }

  get isIdle(): boolean {
    return this.#working === undefined;
  }

  /**
   * Begins with what was folded before, when the stream still leads there and on to `through`, of which the state may know; returns whether.
   * What came since `head` is to be loaded.
   */
  async resume({ head, state }: Folded<S>, through: StreamHead): Promise<boolean> {
    if (!(await this.#leadsTo(head))) return false;
    if (through.version > head.version && !(await this.#leadsTo(through))) return false;
    this.#head = head;
    this.#state = state;
    return true;
  }

  /** A commit names the hash of the one before, and so all before it. */
  async #leadsTo({ position, version, hash }: StreamHead): Promise<boolean> {
    const { head: last } = await this.store.last(this.stream);
    if (last.version <= version) return last.version === version && last.hash === hash && last.position === position;
    if (last.position <= position) return false;
    for await (const next of this.#commitsUntil(last.position, position)) {
      return next.version === version + 1 && next.prev === hash;
    }
    return false;
  }

  /** Takes in what is stored by now, commit by commit: a stream may be larger than memory. */
  async loadAll(): Promise<void> {
    const end = await this.store.lastPosition(this.stream);
    for await (const commit of this.#commitsUntil(end, this.#head.position)) await this.#take(commit);
    await this.load();
  }

  async *#commitsUntil(end: number, after: number): AsyncGenerator<Commit> {
    if (end <= after) return;
    const { signal, abort } = stoppable();
    try {
      for await (const commit of this.store.subscribe({ after, filters: [this.stream], signal })) {
        yield commit;
        if (commit.position >= end) return;
      }
    } finally {
      abort();
    }
  }

  /** Takes in what was stored since the last commit that is known here. */
  async load(): Promise<void> {
    const { events, head } = await this.store.read<E>(this.stream, this.#head);
    this.#advance(events, head);
    this.#isCurrent = this.writes === 'often';
  }

  /** Takes in what another writer stores, until aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const { position } = this.#head;
    for await (const commit of this.store.subscribe({ after: position, filters: [this.stream], signal })) {
      await this.#take(commit);
    }
  }

  async #take({ events, position, version, hash, prev }: Commit): Promise<void> {
    const { version: known, hash: before } = this.#head;
    if (version === known + 1 && prev === before) {
      this.#advance(events as readonly Recorded<E>[], { position, version, hash });
    } else if (version > known) await this.load(); // says what is wrong
  }

  /** Stores `command` behind everything that others stored: from here on nothing that they have in flight can be. */
  async begin(command: C): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await this.load();
      const events = this.decider.decide(command, this.#state);
      try {
        await this.#append(events, events.reduce(this.decider.evolve, this.#state), {
          id: randomUUID(),
          actor: this.actor,
        });
        this.#isCurrent = true;
        return;
      } catch (error) {
        if (!(error instanceof ConcurrencyError) || attempt === maxBeginnings) throw error;
      }
    }
  }

  /** When the last commit was stored, by the clock of the log; ISO 8601. */
  async lastAt(): Promise<string | undefined> {
    const { events } = await this.store.last(this.stream);
    return events.at(-1)?.at;
  }

  /** Ends the term. Resolves when nothing is in flight any more. */
  async end(): Promise<void> {
    this.#isCurrent = false;
    await this.#working;
  }

  /** As `put`, for who has time for a promise. */
  submit(...commands: readonly C[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.put(commands, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /**
   * Calls back when everything that follows from the commands is stored. They are judged one after the other; a DomainError is told to
   * this caller and leaves others in the same commit alone. StoreUnavailableError: nobody knows.
   * `actor`: in the name of somebody else, who is in the log as the actor of a commit of its own.
   */
  put(commands: readonly C[], settled: Settled, actor?: string): void {
    this.#waiting.push({ actor, commands, settled });
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    // With what else is submitted in the same turn: a commit of the first alone would be waited for by all others.
    await Promise.resolve();
    let tell = nothing;
    do {
      const batch = this.#next();
      const committing = batch.length > 0 ? this.#commit(batch) : undefined;
      // While the next commit is on its way to the disk.
      tell();
      tell = (await committing) ?? nothing;
    } while (tell !== nothing || this.#waiting.length > 0);
    this.#working = undefined;
  }

  /** Those that wait longest and are of one actor. */
  #next(): readonly Waiting<C>[] {
    const [first] = this.#waiting;
    let count = 0;
    while (count < maxBatch && count < this.#waiting.length && this.#waiting[count]?.actor === first?.actor) count++;
    return this.#waiting.splice(0, count);
  }

  /** Returns what tells those who wait. */
  async #commit(batch: readonly Waiting<C>[]): Promise<() => void> {
    try {
      const refused = await this.#storeAll(batch);
      return () => batch.forEach((waiting) => waiting.settled(refused.get(waiting)));
    } catch (error) {
      // What was stored is not known: read it again before the next decision.
      this.#isCurrent = false;
      return () => batch.forEach(({ settled }) => settled(error));
    }
  }

  async #storeAll(batch: readonly Waiting<C>[]): Promise<ReadonlyMap<Waiting<C>, DomainError>> {
    const id = randomUUID();
    for (let attempt = 1; ; attempt++) {
      if (!this.#isCurrent) await this.#loadAgain();
      const { events, state, refused } = this.#judge(batch);
      try {
        await this.#append(events, state, { id, actor: batch[0]?.actor ?? this.actor });
        return refused;
      } catch (error) {
        if (!(error instanceof ConcurrencyError) || this.writes === 'in-terms' || attempt === maxAttempts) throw error;
        this.#isCurrent = false;
      }
    }
  }

  async #loadAgain(): Promise<void> {
    if (this.writes === 'in-terms') throw new TermOverError(`${this.stream} is not written from here now`);
    await this.load();
  }

  async #append(events: readonly E[], state: S, metadata: Metadata): Promise<void> {
    if (events.length > 0) {
      this.#head = (await this.store.append(this.stream, events, { expected: this.#head, metadata })).head;
      this.#events += events.length;
    }
    this.#state = this.#settled(state);
  }

  #advance(events: readonly Recorded<E>[], head: StreamHead): void {
    this.#state = this.#settled(events.reduce((state, { event }) => this.decider.evolve(state, event), this.#state));
    this.#head = head;
    this.#events += events.length;
  }

  #settled(state: S): S {
    return this.decider.settle?.(state) ?? state;
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

const nothing = (): void => undefined;

function stoppable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
