import {
  actionSpec,
  actionStarted,
  actionSucceeded,
  hardwareId,
  hardwareRegistered,
  workflowCreated,
} from '@tinkerbell/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openMemory, type Memory } from '../testing/memory';
import { wakeWorkers } from './wake-workers';

const other = '11111111-3772-4b4a-ab9f-6ebe93b90a95';

let memory: Memory;
let woken: string[];
beforeEach(async () => {
  memory = await openMemory();
  woken = [];
  wakeWorkers(memory.readModels, memory.reads, (workerId) => woken.push(workerId));
});
afterEach(() => memory.close());

it('wakes all workers of a workflow when it is there and when an action ended', async () => {
  const actions = [actionSpec({ name: 'mine' }), actionSpec({ name: 'theirs', workerId: other })];
  await memory.given('workflow', 'wf', workflowCreated(actions));
  expect(woken.splice(0)).toEqual([hardwareId, other]);
  await memory.given('workflow', 'wf', actionStarted(0), actionSucceeded(0));
  expect(woken.splice(0)).toEqual([hardwareId, other]);
});

it('wakes nobody when an action began or something else changed', async () => {
  await memory.given('workflow', 'wf', workflowCreated(1));
  woken.splice(0);
  await memory.given('workflow', 'wf', actionStarted(0));
  await memory.given('hardware', hardwareId, hardwareRegistered());
  expect(woken).toEqual([]);
});
