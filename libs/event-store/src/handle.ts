import type { Decider } from '@tinkerbell/domain';
import type { Event, Metadata } from '@tinkerbell/events';
import { current } from './current';
import { ConcurrencyError, emptyHead, type EventStore, type StreamHead } from './event-store';
import { type KnownState, type KnownStates, knownStatesOf } from './known-states';

export interface Handled {
  /** Of a commit of the stream, the command's own or a later one: what a query passes as `minSeq` to read its own write. */
  readonly position: number;
  /** False when the decider found nothing to do, or the command had been stored before. */
  readonly changed: boolean;
}

/** What has to be done between the decision and its append; the state is the one before the decision, at `head`. A refusal is thrown. */
export type Prepare<S> = (state: S, head: StreamHead) => Promise<void>;

const maxAttempts = 3;
const none: ReadonlySet<string> = new Set();

/**
 * Decides on the stream's state and appends. The state that this process saw last (of an unknown stream: none) is tried first, without
 * reading: the append is stored only if nobody wrote since. Only a commit may come of it; that there is nothing to do, or a refusal, is
 * never answered from memory but from the stream itself. On a lost race the stream is read again, three times at most.
 */
export async function handle<C, S, E extends Event>(
  store: EventStore,
  decider: Decider<C, S, E>,
  stream: string,
  command: C,
  metadata: Metadata,
  prepare?: Prepare<S>,
): Promise<Handled> {
  const states = knownStatesOf(store);
  const attempt = { store, states, decider, stream, command, metadata, prepare };
  const known = states.get(stream, decider) ?? { head: emptyHead, state: decider.initial, commandIds: none };
  // The log never forgets: a command that was stored is stored, however old the knowledge.
  if (known.commandIds.has(metadata.id)) return { position: known.head.position, changed: false };
  // What is prepared rests on the state: only what the stream says will do.
  return (prepare === undefined ? await fromMemory(attempt, known) : undefined) ?? fromStream(attempt);
}

interface Attempt<C, S, E extends Event> {
  readonly store: EventStore;
  readonly states: KnownStates;
  readonly decider: Decider<C, S, E>;
  readonly stream: string;
  readonly command: C;
  readonly metadata: Metadata;
  readonly prepare: Prepare<S> | undefined;
}

/** Undefined when only the stream itself can tell. */
async function fromMemory<C, S, E extends Event>(
  attempt: Attempt<C, S, E>,
  known: KnownState<S>,
): Promise<Handled | undefined> {
  let decided: readonly E[];
  try {
    decided = attempt.decider.decide(attempt.command, known.state);
  } catch {
    return undefined; // refused on what may no longer be so
  }
  if (decided.length === 0) return undefined;
  try {
    return await append(attempt, known, decided);
  } catch (error) {
    if (error instanceof ConcurrencyError) return undefined;
    throw error;
  }
}

async function fromStream<C, S, E extends Event>(attempt: Attempt<C, S, E>): Promise<Handled> {
  const { store, decider, stream, command, metadata, prepare } = attempt;
  for (let tried = 1; ; tried++) {
    const { head, state, commandIds } = await current(store, decider, stream);
    // The store forgets command ids after a while, the stream never: a command that comes again is done, whatever happened since.
    if (commandIds.has(metadata.id)) return { position: head.position, changed: false };
    const decided = decider.decide(command, state);
    if (decided.length === 0) return { position: head.position, changed: false };
    await prepare?.(state, head);
    try {
      return await append(attempt, { head, state }, decided);
    } catch (error) {
      if (!(error instanceof ConcurrencyError) || tried === maxAttempts) throw error;
    }
  }
}

async function append<C, S, E extends Event>(
  { store, states, decider, stream, metadata }: Attempt<C, S, E>,
  known: Pick<KnownState<S>, 'head' | 'state'>,
  decided: readonly E[],
): Promise<Handled> {
  const sentAt = performance.now();
  try {
    const { head, duplicate, bytes = 0 } = await store.append(stream, decided, { expected: known.head, metadata });
    // A commit of the same command that lies further back, under others: then their events are missing here.
    if (duplicate || head.version !== known.head.version + 1) states.forget(stream);
    else {
      const state = decided.reduce((s, event) => decider.evolve(s, event), known.state);
      states.advance(stream, decider, { head, state }, { bytes, commandId: metadata.id, sentAt });
    }
    return { position: head.position, changed: !duplicate };
  } catch (error) {
    states.forget(stream, known.head);
    throw error;
  }
}
