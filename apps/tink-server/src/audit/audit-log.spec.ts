import { InMemoryEventStore, type SubscribeOptions } from '@tinkerbell/event-store';
import type { Aggregate, Event } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { hardwareRegistered, templateCreated, workflowCreated } from '@tinkerbell/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { readAuditLog, type AuditLogQuery } from './audit-log';

const day = 86_400_000;
const start = Date.parse('2026-01-01');

/** Says how many commits it handed out. */
class CountingStore extends InMemoryEventStore {
  handedOut = 0;
  override async *messages(options: SubscribeOptions) {
    for await (const message of super.messages(options)) {
      this.handedOut++;
      yield message;
    }
  }
}

let now: number;
let store: CountingStore;
async function append(aggregate: Aggregate, id: string, event: Event): Promise<void> {
  const stream = subjects.stream(aggregate, id);
  const { head } = await store.read(stream);
  const metadata = { id: `c${await store.lastPosition()}`, actor: 'user:ann' };
  await store.append(stream, [event], { expected: head, metadata });
  now += day;
}
/** A hundred days, a commit on each: hardware h1 … h10, and nine templates for each of them. */
beforeEach(async () => {
  now = start;
  store = new CountingStore({ now: () => new Date(now) });
  for (let n = 1; n <= 10; n++) {
    await append('hardware', `h${n}`, hardwareRegistered());
    for (let t = 1; t <= 9; t++) await append('template', `t${n}-${t}`, templateCreated());
  }
});

async function log(query: Partial<AuditLogQuery>): Promise<readonly number[]> {
  const found: number[] = [];
  store.handedOut = 0;
  for await (const { position } of readAuditLog(store, { after: 0, ...query }, new AbortController().signal)) {
    found.push(position);
  }
  return found;
}

describe('who did what', () => {
  it.each<[string, Partial<AuditLogQuery>, readonly number[], number]>([
    ['of an aggregate', { aggregate: 'hardware' }, [1, 11, 21, 31, 41, 51, 61, 71, 81, 91], 10],
    ['of one thing', { id: 'h3' }, [21], 1],
    ['of one thing of another aggregate', { id: 'h3', aggregate: 'template' }, [], 0],
    ['of an id that nothing can have', { id: 'a.b' }, [], 0],
    ['of a type', { type: 'HardwareRegistered', after: 80 }, [81, 91], 2],
    ['of a type that did not happen', { type: 'WorkflowPaused' }, [], 0],
    ['since a time', { since: start + 95 * day }, [96, 97, 98, 99, 100], 5],
    ['until a time', { until: start + 3 * day }, [1, 2, 3], 5],
    ['between', { since: start + 10 * day, until: start + 12 * day }, [11, 12], 4],
    ['in the future', { since: start + 1000 * day }, [], 0],
  ])('%s reads no more of the log than it has to', async (_, query, positions, most) => {
    expect(await log(query)).toEqual(positions);
    expect(store.handedOut).toBeLessThanOrEqual(most);
  });

  it('has commits that were stored while the clock was set back', async () => {
    now = start + 99 * day + 60_000;
    await append('workflow', 'w', workflowCreated(1));
    now = start + 99 * day + 30_000;
    await append('workflow', 'v', workflowCreated(1));
    expect(await log({ since: start + 99 * day + 45_000 })).toEqual([101]);
    expect(await log({ since: start + 99 * day + 15_000 })).toEqual([101, 102]);
  });
});
