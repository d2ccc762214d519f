import { describe, expect, it } from 'vitest';
import type { StoredMessage } from './envelope';
import { eventStoreContract } from './event-store.contract';
import { InMemoryEventStore } from './in-memory';
import { matchesSubject } from './subject-filter';

eventStoreContract('in-memory', async () => {
  const log: StoredMessage[] = [];
  const store = new InMemoryEventStore({ log });
  return {
    store,
    another: async () => store,
    async plant(stream, bytes) {
      log.push({ position: (log.at(-1)?.position ?? 0) + 1, stream, at: new Date().toISOString(), bytes });
    },
    async restart() {
      await store.close();
      return new InMemoryEventStore({ log });
    },
    stop: () => store.close(),
  };
});

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
