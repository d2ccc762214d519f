import { actionStarted, actionSucceeded, hardwareId, workflowCreated } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openMemory, type Memory } from '../testing/memory';
import { workflowView } from './workflow-view';

let memory: Memory;
beforeEach(async () => {
  memory = await openMemory();
  await memory.given('workflow', 'ended', workflowCreated(1), actionStarted(0), actionSucceeded(0));
  await memory.given('workflow', 'running', workflowCreated(1), actionStarted(0));
  await memory.given('workflow', 'queued', workflowCreated(1));
});
afterEach(() => memory.close());

describe('a workflow as the API shows it', () => {
  const shown = (id: string) => workflowView(memory.reads, memory.reads.workflow(id));

  it('says what it waits for, and where in the queue, from one look at the workflows of its machine', () => {
    const findAll = vi.spyOn(memory.reads.workflows, 'findAll');
    expect(shown('queued')).toMatchObject({
      waiting: `workflow running on machine ${hardwareId}, position 2 in its queue`,
      queue: { workerId: hardwareId, behind: 'running', position: 2 },
    });
    expect(findAll).toHaveBeenCalledTimes(1);
  });

  it('does not look at other workflows when it runs or has ended', () => {
    const findAll = vi.spyOn(memory.reads.workflows, 'findAll');
    for (const id of ['ended', 'running']) expect(shown(id)).toMatchObject({ waiting: null, queue: null });
    expect(findAll).not.toHaveBeenCalled();
  });
});
