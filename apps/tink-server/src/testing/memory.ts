import type { Aggregate, Event, Recorded } from '@tinkerbell/events';
import { InMemoryEventStore, rememberCommits } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { openTinkReadModels, ProjectedReads } from '../projected-reads';

/** A log in memory with the real read models over it, for specs. */
export interface Memory {
  readonly store: InMemoryEventStore;
  readonly reads: ProjectedReads;
  /** Appends facts to a stream as one commit and waits until they are readable. */
  given(aggregate: Aggregate, id: string, ...events: readonly Event[]): Promise<void>;
  eventsOf(aggregate: Aggregate, id: string): Promise<readonly Recorded[]>;
  close(): Promise<void>;
}

export async function openMemory(now?: () => Date): Promise<Memory> {
  const store = new InMemoryEventStore(now ? { now } : {});
  const readModels = await openTinkReadModels(store, ':memory:');
  const reads = new ProjectedReads(readModels);
  readModels.onCommits((commits) => rememberCommits(store, commits));
  let commands = 0;
  return {
    store,
    reads,
    async given(aggregate, id, ...events) {
      const stream = subjects.stream(aggregate, id);
      const { head } = await store.read(stream);
      const metadata = { id: `given-${++commands}`, actor: 'test' };
      const appended = await store.append(stream, events, { expected: head, metadata });
      await reads.atLeast(appended.head.position);
    },
    async eventsOf(aggregate, id) {
      return (await store.read(subjects.stream(aggregate, id))).events;
    },
    async close() {
      await readModels.close();
      await store.close();
    },
  };
}
