import type { Commit, EventStore } from '@tinkerbell/event-store';

/** The commit at a position of the log; undefined when there is none. */
export async function commitAt(store: EventStore, position: number): Promise<Commit | undefined> {
  if (position < 1 || position > (await store.lastPosition())) return undefined;
  // Leaving the loop ends the subscription.
  for await (const commit of store.subscribe({ after: position - 1 })) {
    return commit.position === position ? commit : undefined;
  }
  return undefined;
}
