import type { Decider } from '@tinkerbell/domain';
import type { Event } from '@tinkerbell/events';
import { type Commit, type EventStore, IntegrityError } from './event-store';
import { type KnownState, knownStatesOf } from './known-states';

/**
 * Where a stream stands by the log itself: the state that this process saw last, and what was stored since. So what is asked of the log
 * does not grow with the stream.
 */
export async function current<C, S, E extends Event>(
  store: EventStore,
  decider: Decider<C, S, E>,
  stream: string,
): Promise<KnownState<S>> {
  const states = knownStatesOf(store);
  const known = states.get(stream, decider);
  if (!known) return readAll(store, decider, stream);
  const askedAt = performance.now();
  try {
    const { events, head } = await store.read<E>(stream, known.head);
    if (events.length === 0) {
      states.confirm(stream, known.head, askedAt);
      return known;
    }
    const state = events.reduce((s, recorded) => decider.evolve(s, recorded.event), known.state);
    return states.put(stream, decider, { head, state }, events, askedAt, known);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    // Whether the log is damaged or what we know is wrong, the whole stream tells.
    states.forget(stream);
    return readAll(store, decider, stream);
  }
}

async function readAll<C, S, E extends Event>(
  store: EventStore,
  decider: Decider<C, S, E>,
  stream: string,
): Promise<KnownState<S>> {
  const askedAt = performance.now();
  const { events, head } = await store.read<E>(stream);
  const state = events.reduce((s, recorded) => decider.evolve(s, recorded.event), decider.initial);
  return knownStatesOf(store).put(stream, decider, { head, state }, events, askedAt);
}

/**
 * Where a stream stands as this process knows it without asking: undefined unless the log itself said so at most
 * `maxAgeMs` ago. What another process has stored since is missing until `rememberCommits` brings it.
 */
export function recent<C, S, E extends Event>(
  store: EventStore,
  decider: Decider<C, S, E>,
  stream: string,
  maxAgeMs: number,
): S | undefined {
  return knownStatesOf(store).recent(stream, decider, performance.now() - maxAgeMs);
}

/** What comes out of the log brings up to date what is known of its streams. */
export function rememberCommits(store: EventStore, commits: readonly Commit[]): void {
  const states = knownStatesOf(store);
  for (const commit of commits) states.take(commit);
}
