import type { Decider } from '@tinkerbell/domain';
import type { Event, Metadata } from '@tinkerbell/events';
import type { Commit, EventStore, StreamHead } from './event-store';

export interface KnownStatesLimits {
  /** Streams kept, at most. */
  readonly streams: number;
  /** Estimated size of all that is kept, at most; a stream larger than an eighth of it is not kept. */
  readonly bytes: number;
}

const defaultLimits: KnownStatesLimits = { streams: 10_000, bytes: 32 * 2 ** 20 };
/** What an entry, an event or an id costs beside its characters. */
const overheadBytes = 64;

/** A stream as this process saw it last: its folded state, and which commands led to it. Others may have written since. */
export interface KnownState<S> {
  readonly head: StreamHead;
  readonly state: S;
  /** Ids of all commands that are stored in the stream: for ever true, whatever else is stale. */
  readonly commandIds: ReadonlySet<string>;
}

interface Entry extends KnownState<unknown> {
  readonly decider: AnyDecider;
  readonly commandIds: Set<string>;
  readonly bytes: number;
  /** No later than the moment at which the store itself said that nothing comes after it; of `performance.now()`. */
  readonly confirmedAt: number;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- Decider is contravariant in its events: no other type accepts all
type AnyDecider = Decider<any, any, any>;

/** Folded states by stream, the least recently used forgotten first. States are immutable, so sharing them is safe. */
export class KnownStates {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(private readonly limits: KnownStatesLimits = defaultLimits) {}

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get<C, S, E extends Event>(stream: string, decider: Decider<C, S, E>): KnownState<S> | undefined {
    const entry = this.#entries.get(stream);
    if (entry?.decider !== decider) return undefined;
    this.#entries.delete(stream);
    this.#entries.set(stream, entry);
    // It was put under this very decider.
    return entry as KnownState<S>;
  }

  /** The state, if the store said after `since` (of `performance.now()`) that it is the last one, or what followed it has been taken in. */
  recent<C, S, E extends Event>(stream: string, decider: Decider<C, S, E>, since: number): S | undefined {
    const known = this.get(stream, decider);
    return known && (known as KnownState<S> & Entry).confirmedAt >= since ? known.state : undefined;
  }

  /** A commit that somebody made, as it comes out of the log: what is known of its stream goes on, or is forgotten when it does not fit. */
  take({ stream, position, version, hash, prev, events, metadata }: Commit): void {
    const known = this.#entries.get(stream);
    if (!known || known.head.version >= version) return;
    if (known.head.version !== version - 1 || known.head.hash !== prev) return this.forget(stream);
    const state: unknown = events.reduce((s: unknown, { event }) => known.decider.evolve(s, event), known.state);
    known.commandIds.add(metadata.id);
    const added = events.reduce((sum, { event }) => sum + sizeOf(event), metadata.id.length + overheadBytes);
    this.#keep(stream, { ...known, head: { position, version, hash }, state, bytes: known.bytes + added });
  }

  /**
   * As it was read: all of the stream, or what was `stored` after the state that is known. Returns what is known now. `askedAt`: of
   * `performance.now()`.
   */
  put<C, S, E extends Event>(
    stream: string,
    decider: Decider<C, S, E>,
    { head, state }: { readonly head: StreamHead; readonly state: S },
    stored: readonly { readonly event: E; readonly metadata: Metadata }[],
    askedAt: number,
    after?: KnownState<S>,
  ): KnownState<S> {
    const added = new Set(stored.map(({ metadata }) => metadata.id));
    const ids = [...added].reduce((sum, id) => sum + id.length + overheadBytes, 0);
    const before = after === undefined ? undefined : (after as KnownState<S> & Entry);
    const bytes = stored.reduce((sum, { event }) => sum + sizeOf(event), (before?.bytes ?? overheadBytes) + ids);
    const commandIds = new Set([...(before?.commandIds ?? []), ...added]);
    const known = { decider, head, state, commandIds, bytes, confirmedAt: askedAt };
    this.#keep(stream, known);
    return known;
  }

  /** After a commit that was made on top of what is known; `sentAt` of `performance.now()`. */
  advance<C, S, E extends Event>(
    stream: string,
    decider: Decider<C, S, E>,
    { head, state }: { readonly head: StreamHead; readonly state: S },
    { bytes, commandId, sentAt }: { readonly bytes: number; readonly commandId: string; readonly sentAt: number },
  ): void {
    const known = this.#entries.get(stream);
    // It came out of the log before the store answered.
    if (known?.decider === decider && known.head.version >= head.version) return;
    const isNext = known?.decider === decider && known.head.version === head.version - 1;
    // The first commit of a stream follows on nothing.
    const entry = isNext ? known : { commandIds: new Set<string>(), bytes: overheadBytes };
    if (!isNext && head.version !== 1) return this.forget(stream);
    entry.commandIds.add(commandId);
    const added = bytes + commandId.length + overheadBytes;
    const { commandIds } = entry;
    this.#keep(stream, { decider, head, state, commandIds, bytes: entry.bytes + added, confirmedAt: sentAt });
  }

  /** The store said at that time that nothing comes after what is known. */
  confirm(stream: string, head: StreamHead, askedAt: number): void {
    const known = this.#entries.get(stream);
    if (!known || known.head.version !== head.version || known.confirmedAt >= askedAt) return;
    this.#entries.set(stream, { ...known, confirmedAt: askedAt });
  }

  /** With `head`: unless more than that is known by now. */
  forget(stream: string, head?: StreamHead): void {
    if (head && (this.#entries.get(stream)?.head.version ?? 0) > head.version) return;
    this.#bytes -= this.#entries.get(stream)?.bytes ?? 0;
    this.#entries.delete(stream);
  }

  #keep(stream: string, entry: Entry): void {
    const known = this.#entries.get(stream);
    if (known && known.decider === entry.decider && known.head.version > entry.head.version) return;
    this.forget(stream);
    if (entry.bytes > this.limits.bytes / 8) return;
    this.#entries.set(stream, entry);
    this.#bytes += entry.bytes;
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.limits.streams && this.#bytes <= this.limits.bytes) return;
      this.forget(oldest);
    }
  }
}

/** A state is folded from its events and holds no more than they do. */
function sizeOf(event: Event): number {
  return JSON.stringify(event).length + overheadBytes;
}

const byStore = new WeakMap<EventStore, KnownStates>();

/** What `handle` remembers of this store; gone with it. */
export function knownStatesOf(store: EventStore): KnownStates {
  let known = byStore.get(store);
  if (!known) byStore.set(store, (known = new KnownStates()));
  return known;
}
