import { InMemoryEventStore } from '@tinkerbell/event-store';
import { emptyHead } from '@tinkerbell/event-store';
import type { Aggregate, Recorded } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { beforeEach, describe, expect, it } from 'vitest';
import { readFeed, type FeedOptions } from './event-feed';

let store: InMemoryEventStore;
let clock: number;

async function append(aggregate: Aggregate, id: string, n: number): Promise<void> {
  clock += 1000;
  const events = Array.from({ length: n }, () => ({ type: 'HardwareDeleted', v: 1, data: {} }));
  await store.append(subjects.stream(aggregate, id), events, {
    expected: emptyHead,
    metadata: { id: `${aggregate}-${id}`, actor: 'user' },
  });
}

async function read(options: Partial<FeedOptions>): Promise<readonly string[]> {
  const found: string[] = [];
  const signal = new AbortController().signal;
  for await (const one of readFeed(store, { after: 0, follow: false, signal, ...options })) found.push(place(one));
  return found;
}
const place = ({ aggregateId, position, index }: Recorded) => `${aggregateId}@${position}.${index}`;

beforeEach(async () => {
  clock = Date.parse('2026-01-01T00:00:00Z');
  store = new InMemoryEventStore({ now: () => new Date(clock) });
  await append('hardware', 'a', 1);
  await append('hardware', 'b', 2);
  await append('hardware', 'c', 1);
});

describe('readFeed', () => {
  it('gives all, oldest first, and ends', async () =>
    expect(await read({})).toEqual(['a@1.0', 'b@2.0', 'b@2.1', 'c@3.0']));
  it('begins after a position', async () => expect(await read({ after: 2 })).toEqual(['c@3.0']));
  it('ends at once after the last position', async () => expect(await read({ after: 3 })).toEqual([]));
  it('begins at a time', async () =>
    expect(await read({ since: Date.parse('2026-01-01T00:00:02Z') })).toEqual(['b@2.0', 'b@2.1', 'c@3.0']));
  it('stops at the limit', async () => {
    expect(await read({ limit: 2 })).toEqual(['a@1.0', 'b@2.0']);
    expect(await read({ limit: 0 })).toEqual([]);
  });
  it('reads one thing', async () => expect(await read({ aggregate: 'hardware', id: 'b' })).toEqual(['b@2.0', 'b@2.1']));
  it('finds nothing of a thing with an impossible id', async () =>
    expect(await read({ aggregate: 'hardware', id: '*' })).toEqual([]));
  it('filters by type', async () => expect(await read({ type: 'HardwareUpdated' })).toEqual([]));

  it('fails when the log is closed before its end was read', async () => {
    const whole = store.subscribe.bind(store);
    store.subscribe = async function* (options) {
      for await (const commit of whole(options)) {
        yield commit;
        return;
      }
    };
    const signal = new AbortController().signal;
    const found: string[] = [];
    const reading = async () => {
      for await (const one of readFeed(store, { after: 0, follow: false, signal })) found.push(place(one));
    };
    await expect(reading()).rejects.toThrow('the log was closed while it was read');
    expect(found).toEqual(['a@1.0']);
  });

  it('follows until it is told to stop', async () => {
    const stop = new AbortController();
    const found: string[] = [];
    for await (const one of readFeed(store, { after: 2, follow: true, signal: stop.signal })) {
      found.push(place(one));
      if (found.length === 1) await append('hardware', 'd', 1);
      else stop.abort();
    }
    expect(found).toEqual(['c@3.0', 'd@4.0']);
  });
});
