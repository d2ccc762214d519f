import { actionStarted, actionSpec, actionSucceeded, hardwareId, workflowCreated } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { openTinkReadModels, type TinkReadModels } from '../projected-reads';
import { wakeWorkers } from './wake-workers';

const other = '11111111-3772-4b4a-ab9f-6ebe93b90a95';

describe('wakeWorkers', () => {
  const store = new InMemoryEventStore();
  const woken: string[] = [];
  let models: TinkReadModels;
  let stop: () => void;
  beforeEach(async () => {
    models = await openTinkReadModels(store, ':memory:');
    stop = wakeWorkers(models, (workerId) => void woken.push(workerId));
  });
  afterEach(async () => {
    stop();
    await models.close();
  });

  async function given(...events: Parameters<typeof store.append>[1]): Promise<readonly string[]> {
    const stream = subjects.stream('workflow', 'wf');
    const { head } = await store.read(stream);
    const metadata = { id: crypto.randomUUID(), actor: 'spec' };
    const appended = await store.append(stream, events, { expected: head, metadata });
    await models.waitFor(appended.head.position, 5_000);
    return woken.splice(0);
  }

  it('wakes all that take part in a workflow, and nobody because one of them has begun', async () => {
    const both = [hardwareId, other].map((workerId) => actionSpec({ workerId }));
    expect(await given(workflowCreated(both))).toEqual([hardwareId, other]);
    expect(await given(actionStarted(0))).toEqual([]);
    expect(await given(actionSucceeded(0))).toEqual([hardwareId, other]);
    expect(await given(actionStarted(1), actionSucceeded(1))).toEqual([hardwareId, other]);
  });
});
