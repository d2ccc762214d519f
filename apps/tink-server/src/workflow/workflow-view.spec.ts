import {
  actionImageServed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  bootWays,
  hardwareDeleted,
  hardwareId,
  hardwareRegistered,
  machineMac,
  netbootOffered,
  workerReady,
  workflowCreated,
  workflowDeleted,
} from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Query } from '../http/query';
import { AsOf } from '../history/as-of';
import { openMemory, type Memory } from '../testing/memory';
import { workflowPieces, type WorkflowView } from './workflow-view';

let memory: Memory;
beforeEach(async () => {
  memory = await openMemory();
  await memory.given('hardware', hardwareId, hardwareRegistered());
  await memory.given('workflow', 'ended', workflowCreated(1), actionStarted(0), actionSucceeded(0));
  await memory.given('workflow', 'running', workflowCreated(1), actionStarted(0));
  await memory.given('workflow', 'queued', workflowCreated(1));
});
afterEach(() => memory.close());

describe('a workflow as the API shows it', () => {
  const shown = (id: string, reads = memory.reads.at(memory.reads.position())) =>
    [memory.reads, reads].map(
      (from) => JSON.parse(workflowPieces(from, from.workflowEntry(id)).join('')) as WorkflowView,
    );
  const place = (behind: string, position: number) => ({ workerId: hardwareId, behind, position });

  it('is its row, whole, and what it waits for', () => {
    for (const view of shown('ended'))
      expect(view).toEqual({ ...memory.reads.workflow('ended'), waiting: null, queue: null });
  });

  it('says what it waits for, and where in the queue, without a look at the rows of other workflows', () => {
    const read = (['get', 'entry', 'list', 'entries', 'findAll'] as const).map((name) =>
      vi.spyOn(memory.reads.workflows, name),
    );
    const entry = memory.reads.workflowEntry('queued');
    expect(JSON.parse(workflowPieces(memory.reads, entry).join(''))).toMatchObject({
      waiting: `workflow running on machine ${hardwareId}, position 2 in its queue`,
      queue: place('running', 2),
    });
    expect(read.flatMap(({ mock }) => mock.calls)).toEqual([['queued']]);
  });

  it('waits for no worker that is there, whatever that has fetched, until the machine boots anew', async () => {
    await memory.given('workflow', 'next', workflowCreated([actionSpec({ workerId: hardwareId })]));
    await memory.given('workflow', 'running', actionSucceeded(0));
    await memory.given('workflow', 'queued', actionStarted(0), actionSucceeded(0));
    const waiting = () => shown('next').map((view) => view.waiting);
    const asks = `worker ${hardwareId} to ask for work`;
    await memory.given('boot', machineMac, ...bootWays().PXE);
    await memory.given('enrolment', hardwareId, workerReady());
    expect(waiting()).toEqual([asks, asks]);
    await memory.given('boot', machineMac, actionImageServed());
    expect(waiting()).toEqual([asks, asks]);
    await memory.given('boot', machineMac, netbootOffered());
    expect(waiting()[0]).toContain('the machine has not booted into its worker yet');
  });

  it('waits for the record of a machine that has none any more', async () => {
    await memory.given('workflow', 'running', actionSucceeded(0));
    const waiting = () => shown('queued').map((view) => view.waiting);
    const away = expect.stringContaining('the machine has not booted into its worker yet') as string;
    expect(waiting()).toEqual([away, away]);
    await memory.given('hardware', hardwareId, hardwareDeleted());
    const gone = `hardware ${hardwareId} to be pushed again: it has no record, and its machine gets no answer`;
    expect(waiting()).toEqual([gone, gone]);
  });

  it('does not look at the queue when it runs or has ended', () => {
    const placed = vi.spyOn(memory.reads.workflows, 'place');
    for (const id of ['ended', 'running'])
      for (const view of shown(id)) expect(view).toMatchObject({ waiting: null, queue: null });
    expect(placed).not.toHaveBeenCalled();
  });

  it('moves up in the queue as those before it begin, end and go', async () => {
    await memory.given('workflow', 'early', workflowCreated(1));
    await memory.given('workflow', 'late', workflowCreated([actionSpec(), actionSpec({ workerId: 'other' })]));
    const queues = () => shown('late').map(({ queue }) => queue);
    expect(queues()).toEqual([place('running', 4), place('running', 4)]);
    const then = memory.reads.position();
    await memory.given('workflow', 'early', actionStarted(0));
    await memory.given('workflow', 'running', actionSucceeded(0));
    expect(queues()).toEqual([place('early', 3), place('early', 3)]);
    await memory.given('workflow', 'queued', workflowDeleted());
    expect(queues()).toEqual([place('early', 2), place('early', 2)]);
    await memory.given('workflow', 'early', actionSucceeded(0));
    expect(queues()).toEqual([null, null]);
    expect(shown('late', memory.reads.at(then))[1]).toMatchObject({ queue: place('running', 4) });
  });

  it('waits, once it has begun, for none that has not', async () => {
    await memory.given('workflow', 'begun', workflowCreated(2), actionStarted(0), actionSucceeded(0));
    for (const { queue } of shown('begun')) expect(queue).toEqual(place('running', 2));
    await memory.given('workflow', 'running', actionSucceeded(0));
    for (const view of shown('begun'))
      expect(view).toMatchObject({ waiting: expect.stringContaining('worker') as string, queue: null });
  });
});

describe('the past of a list', () => {
  it('needs no workflow that was not in it then, however many were before', async () => {
    for (let i = 0; i < 20; i++)
      await memory.given('workflow', `w${i}`, workflowCreated(1), actionStarted(0), actionSucceeded(0));
    const reads = await new AsOf(memory.store, memory.reads).reads(new Query(`/?at=${memory.reads.position()}`));
    const folded = vi.spyOn(reads.workflows, 'get');
    const rows = reads.workflows.list({ lookups: [`worker:${hardwareId}`, 'status:running'] });
    expect(rows.map(({ id }) => id)).toEqual(['running']);
    expect(folded).toHaveBeenCalledTimes(1);
  });
});
