import { workflowDecider } from '@tinkerbell/domain';
import { handle, InMemoryEventStore } from '@tinkerbell/event-store';
import type { WorkflowEvent } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { actionSpec, actionStarted, actionSucceeded, hardwareId as one, workflowCreated } from '@tinkerbell/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { Machines } from './machines';

const two = '11111111-3772-4b4a-ab9f-6ebe93b90a95';
const three = '22222222-3772-4b4a-ab9f-6ebe93b90a95';
const on = (...workers: readonly string[]) => workflowCreated(workers.map((workerId) => actionSpec({ workerId })));
const stream = (id: string) => subjects.stream('workflow', id);

let store: InMemoryEventStore;
let machines: Machines;
beforeEach(() => {
  store = new InMemoryEventStore();
  machines = new Machines(store, { patienceMs: 0 });
});

async function given(id: string, ...events: readonly WorkflowEvent[]): Promise<void> {
  const { head } = await store.read(stream(id));
  await store.append(stream(id), events, {
    expected: head,
    metadata: { id: `given-${await store.lastPosition()}`, actor: 'test' },
  });
}
const take = (id: string) => machines.take(id, 0, 'worker:test');
const typesOf = async (id: string) => (await store.read(stream(id))).events.map(({ event }) => event.type);

describe('the machines of a workflow', () => {
  it('are taken all or none, and the one that has them is named', async () => {
    await given('a', on(one, two));
    await given('b', on(three, two));
    await given('c', on(three, one));
    expect(await take('a')).toBeUndefined();
    expect(await take('b')).toBe(`workflow b waits for workflow a, which has machine ${two}`);
    expect(await typesOf('b')).toEqual(['WorkflowCreated']);
    // What b claimed before it met a is nobody's.
    await given('d', on(three, '33333333-3772-4b4a-ab9f-6ebe93b90a95'));
    expect(await take('d')).toBeUndefined();
    expect(await take('a')).toBeUndefined();
    expect(await typesOf('a')).toEqual(['WorkflowCreated', 'MachinesTaken']);
  });

  it('are free again one by one, as soon as they are not needed any more', async () => {
    await given('a', on(one, two));
    await given('b', on(one, three));
    await take('a');
    await given('a', actionStarted(0), actionSucceeded(0));
    expect(await take('b')).toBeUndefined();
    await given('c', on(two, three));
    expect(await take('c')).toMatch(/^workflow c waits for workflow [ab]/);
  });

  it('are free when nothing is heard of the worker that got the first action', async () => {
    await given('a', on(one, two));
    await given('b', on(one, two));
    await take('a');
    expect(await take('b')).toMatch(/^workflow b waits for workflow a/);
    const expire = { type: 'ExpireAction', index: 0, attempt: 1, seconds: 90, message: 'no sign of it' } as const;
    const { position } = await handle(store, workflowDecider, stream('a'), expire, { id: 'expire', actor: 'test' });
    expect(position).toBeGreaterThan(0);
    expect((await store.read(stream('a'))).events.slice(-2).map(({ event }) => event)).toMatchObject([
      { type: 'ActionTimedOut', data: { workerId: one, firedBy: 'server', message: 'no sign of it' } },
      { type: 'WorkflowFinished', data: { status: 'timeout', index: 0 } },
    ]);
    expect(await take('b')).toBeUndefined();
  });

  it('are nobody’s when a server stops between its claims and its commit', async () => {
    await given('a', on(one, two));
    await given('b', on(one, two));
    const append = store.append.bind(store);
    store.append = async (to, events, options) => {
      if (to === stream('a')) throw new Error('killed');
      return append(to, events, options);
    };
    await expect(take('a')).rejects.toThrow('killed');
    store.append = append;
    expect(await take('b')).toBeUndefined();
    expect(await typesOf('a')).toEqual(['WorkflowCreated', 'MachinesTaken']);
    // The fence took nothing.
    expect(await take('a')).toMatch(/^workflow a waits for workflow b/);
  });

  it('are not taken by a workflow that may not begin', async () => {
    await given('a', on(one, two), { type: 'WorkflowPaused', v: 1, data: { reason: '' } });
    expect(await take('a')).toBe('workflow a: TakeMachines is not allowed while paused');
    await given('b', on(one, two));
    await given('b', { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } });
    expect(await take('b')).toBe('workflow b: TakeMachines is not allowed while cancelled');
  });

  it('cost as much the hundredth time as the first: of a claim only its last commit is read', async () => {
    const read: string[] = [];
    const original = store.read.bind(store);
    store.read = (from) => {
      read.push(from);
      return original(from);
    };
    const reads: number[] = [];
    for (let n = 0; n < 100; n++) {
      await given(`w${n}`, on(one, two));
      read.length = 0;
      expect(await take(`w${n}`)).toBeUndefined();
      expect(read.filter((from) => from.includes('.claim.'))).toEqual([]);
      reads.push(read.length);
      await given(`w${n}`, { type: 'WorkflowDeleted', v: 1, data: {} });
    }
    expect(reads.at(-1)).toBe(reads[1]);
  });
});
