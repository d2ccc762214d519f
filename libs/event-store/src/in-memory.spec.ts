import { describe, expect, it } from 'vitest';
import type { StoredMessage } from './envelope';
import { EventStore } from './event-store';
import { eventStoreContract, type Harness } from './event-store.contract';
import { handleContract } from './handle.contract';
import { InMemoryEventStore } from './in-memory';
import { matchesSubject } from './subject-filter';

async function open(): Promise<Harness> {
  const log: StoredMessage[] = [];
  const store = new InMemoryEventStore({ log });
  return {
    store,
    another: async () => elsewhere(store),
    async plant(stream, bytes) {
      log.push({ position: (log.at(-1)?.position ?? 0) + 1, stream, at: new Date().toISOString(), bytes });
    },
    async restart() {
      await store.close();
      return new InMemoryEventStore({ log });
    },
    stop: () => store.close(),
  };
}

/** The same log as another process sees it: another object, so that nothing is remembered of it. */
function elsewhere(store: EventStore): EventStore {
  const { read, append, subscribe, lastPosition } = store;
  return Object.assign(Object.create(EventStore.prototype) as EventStore, {
    read: read.bind(store),
    append: append.bind(store),
    subscribe: subscribe.bind(store),
    lastPosition: lastPosition.bind(store),
    close: async () => undefined,
  });
}

eventStoreContract('in-memory', open);
handleContract('in-memory', open);

describe('matchesSubject', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.b.c', false],
    ['a.b.c', 'a.b', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['a.*.c', 'a.b.d', false],
  ])('%s lets %s through: %s', (filter, subject, expected) => {
    expect(matchesSubject(filter, subject)).toBe(expected);
  });
});
