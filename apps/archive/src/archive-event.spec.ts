import { InMemoryEventStore, type Commit } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { describe, expect, it } from 'vitest';
import { archiveCommit, placeOf, streamName } from './archive-event';
import { eventId } from './event-id';
import { appendTo, event } from './testing/log';

async function commits(store: InMemoryEventStore, count: number): Promise<readonly Commit[]> {
  const found: Commit[] = [];
  for await (const commit of store.subscribe({ after: 0 })) {
    found.push(commit);
    if (found.length === count) break;
  }
  return found;
}

describe('archiveCommit', () => {
  it('names streams and events, and carries the place in the log', async () => {
    const store = new InMemoryEventStore({ now: () => new Date('2026-01-01T00:00:00Z') });
    await appendTo(store, 'wf-1', [event(1)], { id: 'first', actor: 'user:ann' });
    const why = { id: 'second', actor: 'worker:w', correlationId: 'wf-1', causationId: 'first' };
    await appendTo(store, 'wf-1', [event(2), event(3)], why);
    const [one, two] = (await commits(store, 2)).map(archiveCommit);

    expect(one).toMatchObject({ stream: 'workflow-wf-1', position: 1, events: [{ id: eventId(1, 0) }] });
    expect(two?.events.map(({ id, place }) => [id, place])).toEqual([
      [eventId(2, 0), { position: 2, version: 2, index: 0, count: 2 }],
      [eventId(2, 1), { position: 2, version: 2, index: 1, count: 2 }],
    ]);
    expect(two?.events[1]).toMatchObject({ type: 'WorkflowDataUpdated', data: { version: 3 } });
    expect(two?.events[1]?.metadata).toEqual({
      ...{ position: 2, version: 2, index: 1, count: 2, schema: 1, subject: subjects.stream('workflow', 'wf-1') },
      ...{ at: '2026-01-01T00:00:00.000Z', command: 'second', actor: 'worker:w', prev: one?.hash, hash: two?.hash },
      ...{ $correlationId: 'wf-1', $causationId: 'first' },
    });
    expect(two?.bytes).toBeGreaterThan(400);
  });

  it('keeps tenants apart', () => {
    expect(streamName('tink.ev.default.hardware.a-b')).toBe('hardware-a-b');
    expect(streamName('tink.ev.other.hardware.a-b')).toBe('other.hardware-a-b');
    expect(() => streamName('tink.log.default.x')).toThrow('no subject of an aggregate');
  });
});

describe('placeOf', () => {
  const place = { position: 5, version: 2, index: 1, count: 3 };
  it('reads what the mirror wrote', () =>
    expect(placeOf({ id: eventId(5, 1), metadata: { ...place, more: 'x' } })).toEqual(place));
  it.each([
    ['another id', { id: eventId(5, 2), metadata: place }],
    ['no metadata', { id: eventId(5, 1), metadata: undefined }],
    ['a text', { id: eventId(5, 1), metadata: 'x' }],
    ['bytes', { id: eventId(5, 1), metadata: new Uint8Array(2) }],
    ['no count', { id: eventId(5, 1), metadata: { ...place, count: undefined } }],
    ['half a number', { id: eventId(5, 1), metadata: { ...place, version: 1.5 } }],
  ])('takes %s for a stranger', (_, last) => expect(placeOf(last)).toBeUndefined());
});
