import { ForbiddenError, NotFoundError } from '@tinkerbell/domain';
import {
  actionAttemptFailed,
  actionCancelled,
  actionFailed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  graph,
  hardwareId,
  hardwareRegistered,
  workflowCreated,
  workflowDeleted,
  workflowTimedOut,
} from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openTinkReadModels, ProjectedReads } from '../projected-reads';
import { openMemory, type Memory } from '../testing/memory';
import { WorkerDesk } from './worker-desk';

const other = '11111111-3772-4b4a-ab9f-6ebe93b90a95';
const mine = actionSpec({ name: 'mine' });
const theirs = actionSpec({ name: 'theirs', workerId: other });

let memory: Memory;
let desk: WorkerDesk;
let pendingStarts: readonly unknown[];
let pendingEnds: readonly unknown[];
beforeEach(async () => {
  memory = await openMemory();
  pendingStarts = pendingEnds = [];
  const pending = async (_: string, kind: string) => (kind === 'started' ? pendingStarts : pendingEnds);
  desk = new WorkerDesk(memory.store, memory.reads, pending, { holdMs: 20 });
  await memory.given('hardware', hardwareId, hardwareRegistered());
});
afterEach(() => memory.close());

const next = (bootId = 'boot-1') => desk.next(hardwareId, { bootId });

describe('next', () => {
  it('hands out the first action of the oldest workflow', async () => {
    await memory.given('workflow', 'wf-z', workflowCreated(2));
    await memory.given('workflow', 'wf-a', workflowCreated(2));
    expect(await next()).toMatchObject({
      assignment: { workflowId: 'wf-z', index: 0, attempt: 1, total: 2 },
      reason: '',
    });
  });
  it('names the images that this worker will need later, each once', async () => {
    const needs = (image: string) => actionSpec({ name: image, image });
    const actions = [
      needs('first'),
      needs('disk'),
      { ...theirs, image: 'foreign' },
      needs('disk'),
      needs('first'),
      needs('last'),
    ];
    await memory.given('workflow', 'wf', workflowCreated(actions));
    expect((await next()).assignment?.upcoming).toEqual(['disk', 'last']);
  });
  it('serves a running workflow before an older one that is pending', async () => {
    await memory.given('workflow', 'old', workflowCreated(2));
    await memory.given('workflow', 'new', workflowCreated(2), actionStarted(0), actionSucceeded(0));
    expect(await next()).toMatchObject({ assignment: { workflowId: 'new', index: 1 } });
  });
  it('passes over workflows that have ended or are deleted', async () => {
    await memory.given('workflow', 'failed', workflowCreated(2), actionStarted(0), actionFailed(0));
    await memory.given('workflow', 'gone', workflowCreated(2), workflowDeleted());
    await memory.given('workflow', 'pending', workflowCreated(1));
    expect(await next()).toMatchObject({ assignment: { workflowId: 'pending' } });
  });
  it('gives the same boot its running action again under the same attempt', async () => {
    await memory.given('workflow', 'wf', workflowCreated(1), actionStarted(0));
    expect(await next('boot-1')).toMatchObject({ assignment: { index: 0, attempt: 1 } });
    expect(await memory.eventsOf('workflow', 'wf')).toHaveLength(2);
  });
  it('waits for the report of an end that is on its way into the log, and then hands out what comes after it', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    let looked: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => (looked = resolve));
    const end = { workflowId: 'wf', index: 0, attempt: 1, outcome: 'succeeded' };
    const reported = async (_: string, kind: string) => {
      if (kind === 'started') return [];
      looked();
      return [{ ...end, attempt: 2 }, null, end];
    };
    const patient = new WorkerDesk(memory.store, memory.reads, reported, { holdMs: 60_000 });
    const answer = patient.next(hardwareId, { bootId: 'boot-1' });
    await seen;
    await memory.given('workflow', 'wf', actionSucceeded(0));
    expect(await answer).toMatchObject({ assignment: { workflowId: 'wf', index: 1, attempt: 1 } });
  });
  it('waits a moment for such a report without looking for it', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    await desk.state(hardwareId, { workflowId: 'wf', index: 0, attempt: 1 });
    const asked: string[] = [];
    const pending = async (_: string, kind: string) => (asked.push(kind), []);
    const patient = new WorkerDesk(memory.store, memory.reads, pending, { holdMs: 60_000 });
    const answer = patient.next(hardwareId, { bootId: 'boot-1' });
    await memory.given('workflow', 'wf', actionSucceeded(0));
    expect(await answer).toMatchObject({ assignment: { index: 1 } });
    // That another boot has not begun it is looked for all the same.
    expect(asked).toEqual(['started']);
  });
  it('does not wait for a report that does not come', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    const patient = new WorkerDesk(memory.store, memory.reads, async () => [], { holdMs: 60_000 });
    expect(await patient.next(hardwareId, { bootId: 'boot-1' })).toMatchObject({ assignment: { index: 0 } });
    pendingEnds = [{ workflowId: 'wf', index: 0, attempt: 1 }];
    expect(await next()).toMatchObject({ assignment: { index: 0, attempt: 1 } });
  });
  it('records an unknown outcome when another boot asks, and goes on with the next workflow', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    await memory.given('workflow', 'wf-2', workflowCreated(1));
    expect(await next('boot-2')).toMatchObject({ assignment: { workflowId: 'wf-2' } });
    const last = (await memory.eventsOf('workflow', 'wf')).at(-2)?.event;
    expect(last).toMatchObject({ type: 'ActionFailed', data: { index: 0, reason: 'unknown-outcome', exitCode: null } });
  });
  it('gives no action up whose result an earlier boot reported, before the log has it', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    const end = { workflowId: 'wf', index: 0, attempt: 1, outcome: 'succeeded', bootId: 'boot-1' };
    pendingEnds = [{ ...end, index: 1 }, end];
    const ended = 'an earlier boot ended this action; its report is on its way into the log';
    expect(await next('boot-2')).toEqual({ assignment: null, reason: ended });
    expect(await memory.eventsOf('workflow', 'wf')).toHaveLength(2);
    let looked: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => (looked = resolve));
    const reported = async (_: string, kind: string) => (kind === 'started' ? [] : (looked(), [end]));
    const patient = new WorkerDesk(memory.store, memory.reads, reported, { holdMs: 60_000 });
    const answer = patient.next(hardwareId, { bootId: 'boot-2' });
    await seen;
    await memory.given('workflow', 'wf', actionSucceeded(0));
    expect(await answer).toMatchObject({ assignment: { workflowId: 'wf', index: 1, attempt: 1 } });
  });
  it('does not hand out what another boot began and reported, before the log has it', async () => {
    await memory.given('workflow', 'wf', workflowCreated(1));
    const start = { workflowId: 'wf', index: 0, attempt: 1, bootId: 'boot-1', startedAt: '2026-01-01T00:00:00.000Z' };
    const others = { ...start, workflowId: 'other' };
    pendingStarts = [start];
    expect(await next('boot-2')).toMatchObject({ assignment: null, reason: expect.stringContaining('earlier boot') });
    expect(await next('boot-1')).toMatchObject({ assignment: { workflowId: 'wf', index: 0 } });
    pendingStarts = [others, start, others];
    expect(await next('boot-2')).toMatchObject({ assignment: null, reason: expect.stringContaining('earlier boot') });
    pendingStarts = [others, null, 'text'];
    expect(await next('boot-2')).toMatchObject({ assignment: { workflowId: 'wf', index: 0 } });
  });
  it('waits for another worker in a workflow that has begun', async () => {
    await memory.given('workflow', 'wf', workflowCreated([mine, theirs, mine]), actionStarted(0), actionSucceeded(0));
    await memory.given('workflow', 'wf-2', workflowCreated(1));
    const reply = await next();
    expect(reply.assignment).toBeNull();
    expect(reply.reason).toContain(`waits for worker ${other}`);
  });
  it('takes the next workflow when a running one has nothing more for it', async () => {
    await memory.given('workflow', 'wf', workflowCreated([mine, theirs]), actionStarted(0), actionSucceeded(0));
    await memory.given('workflow', 'wf-2', workflowCreated(1));
    expect(await next()).toMatchObject({ assignment: { workflowId: 'wf-2' } });
  });
  it('does not wait for another machine that has not begun', async () => {
    await memory.given('workflow', 'wf', workflowCreated([theirs, mine]));
    expect((await next()).reason).toContain(`waits for worker ${other}`);
    await memory.given('workflow', 'wf-2', workflowCreated(1));
    expect(await next()).toMatchObject({ assignment: { workflowId: 'wf-2' } });
  });
  it('begins no workflow that would take a machine from one that has begun, whichever of its machines asks', async () => {
    await memory.given('workflow', 'wf-1', workflowCreated([mine, theirs]), actionStarted(0));
    await memory.given('workflow', 'wf-2', workflowCreated([theirs, mine]));
    const reply = await desk.next(other, { bootId: 'b' });
    expect(reply.assignment).toBeNull();
    expect(reply.reason).toBe(`workflow wf-1 waits for worker ${hardwareId}, which runs action 0 (hello world/mine)`);
    await memory.given('workflow', 'wf-1', actionSucceeded(0), actionStarted(1, { workerId: other }));
    await memory.given('workflow', 'wf-1', actionSucceeded(1, { workerId: other }));
    expect(await desk.next(other, { bootId: 'b' })).toMatchObject({ assignment: { workflowId: 'wf-2' } });
  });
  it('counts a workflow as begun from the moment that its first action is handed out', async () => {
    await memory.given('workflow', 'wf-1', workflowCreated([mine, theirs]));
    await memory.given('workflow', 'wf-2', workflowCreated([theirs, mine]));
    expect(await next()).toMatchObject({ assignment: { workflowId: 'wf-1' } });
    // wf-2 would wait for it while holding the machine that wf-1 needs next.
    expect((await desk.next(other, { bootId: 'b' })).assignment).toBeNull();
  });
  it('of two servers that begin in the same instant two workflows over the same machines, lets one begin', async () => {
    await memory.given('workflow', 'wf-1', workflowCreated([mine, theirs]));
    await memory.given('workflow', 'wf-2', workflowCreated([theirs, mine]));
    const readModels = await openTinkReadModels(memory.store, ':memory:');
    const second = new WorkerDesk(memory.store, new ProjectedReads(readModels), async () => []);
    const asked = () => Promise.all([next(), second.next(other, { bootId: 'b' })]);
    const [one, two] = await asked();
    const begun = [one, two].flatMap(({ assignment }) => assignment?.workflowId ?? []);
    expect(begun).toHaveLength(1);
    const waiting = begun[0] === 'wf-1' ? 'wf-2' : 'wf-1';
    expect([one.reason, two.reason].join('')).toMatch(
      new RegExp(`^workflow ${waiting} waits for workflow ${begun[0]}, which has machine `),
    );
    // Whoever has begun is handed the same again, by either server.
    expect((await asked()).flatMap(({ assignment }) => assignment?.workflowId ?? [])).toEqual(begun);
    await readModels.close();
  });
  it('records nothing for a workflow on one machine before its start', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2));
    const before = await memory.store.lastPosition();
    expect((await next()).assignment).not.toBeNull();
    expect(await memory.store.lastPosition()).toBe(before);
  });
  it('hands out independent actions side by side to a worker that says what it is busy with', async () => {
    await memory.given('workflow', 'wf', graph({ a: {}, b: {}, c: { needs: [0, 1] } }), actionStarted(0));
    const busy = [{ workflowId: 'wf', index: 0, attempt: 1 }];
    expect(await desk.next(hardwareId, { bootId: 'boot-1', busy })).toMatchObject({ assignment: { index: 1 } });
    expect(await next()).toMatchObject({ assignment: { index: 0, attempt: 1 } });
    await memory.given('workflow', 'wf-2', workflowCreated(1));
    const both = [...busy, { workflowId: 'wf', index: 1, attempt: 1 }];
    await memory.given('workflow', 'wf', actionStarted(1));
    // The machine belongs to the workflow that it is at work on.
    expect((await desk.next(hardwareId, { bootId: 'boot-1', busy: both })).assignment).toBeNull();
  });
  it('starts nothing of a workflow that is paused or being cancelled', async () => {
    const paused = { type: 'WorkflowPaused', v: 1, data: { reason: '' } } as const;
    await memory.given('workflow', 'wf', workflowCreated(2), paused);
    expect((await next()).reason).toBe('workflow wf is paused');
    await memory.given('workflow', 'wf', { type: 'WorkflowResumed', v: 1, data: { reason: '' } }, actionStarted(0));
    await memory.given('workflow', 'wf', { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } });
    expect((await next()).reason).toBe('workflow wf is being cancelled');
  });
  it('waits with a further try until it is due', async () => {
    const retryAt = new Date(Date.now() + 3_600_000).toISOString();
    await memory.given('workflow', 'wf', workflowCreated(1), actionStarted(0), actionAttemptFailed(0, { retryAt }));
    expect((await next()).reason).toContain(`tries hello world/action-0 again at ${retryAt}`);
    const later = new WorkerDesk(memory.store, memory.reads, async () => [], { now: () => Date.parse(retryAt) });
    expect(await later.next(hardwareId, { bootId: 'b' })).toMatchObject({ assignment: { index: 0, attempt: 2 } });
  });
  it('says why there is nothing', async () => {
    expect((await next()).reason).toBe('no workflow for this machine');
    expect((await desk.next(other, { bootId: 'b' })).reason).toContain(`no hardware ${other} is registered`);
    await memory.given('workflow', 'wf', workflowCreated(1), actionStarted(0), actionFailed(0));
    const ended = 'all workflows of this machine have ended';
    expect((await next()).reason).toBe(`${ended}, the last one (wf) with failed`);
    await memory.given('workflow', 'wf-2', workflowCreated(1), actionStarted(0), actionSucceeded(0));
    expect((await next()).reason).toBe(`${ended}, the last one (wf-2) with success`);
    await memory.given('workflow', 'wf-2', workflowDeleted());
    expect((await next()).reason).toBe(ended);
    // A server that has just started has seen none of them end.
    const fresh = new WorkerDesk(memory.store, memory.reads, async () => []);
    expect((await fresh.next(hardwareId, { bootId: 'b' })).reason).toBe(ended);
  });
  it('looks for an early report before it looks at the log, and asks for no row of what has ended', async () => {
    await memory.given('workflow', 'done', workflowCreated(1), actionStarted(0), actionSucceeded(0));
    await memory.given('workflow', 'wf', workflowCreated(1));
    const asked: string[] = [];
    const store = Object.create(memory.store) as Memory['store'];
    store.read = (stream, after) => {
      asked.push(stream);
      return memory.store.read(stream, after);
    };
    const watched = new WorkerDesk(store, memory.reads, async () => {
      asked.push('reports');
      return [];
    });
    expect(await watched.next(hardwareId, { bootId: 'b' })).toMatchObject({ assignment: { workflowId: 'wf' } });
    expect(asked).toEqual(['reports', 'tink.ev.default.workflow.wf']);
  });
});

describe('state', () => {
  const state = (index: number, attempt = 1) => desk.state(hardwareId, { workflowId: 'wf', index, attempt });

  it('lets a running attempt go on, also before its start is recorded', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2));
    expect(await state(0)).toEqual({ goOn: true, finished: false, reason: '' });
    await memory.given('workflow', 'wf', actionStarted(0));
    expect(await state(0)).toEqual({ goOn: true, finished: false, reason: '' });
    expect(await state(0, 2)).toMatchObject({ goOn: false, finished: false });
    expect(await state(1)).toMatchObject({ goOn: false, finished: false });
  });
  it('does not ask the log as long as the attempt may go on, and asks it before it stops one', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    await state(0);
    const read = vi.spyOn(memory.store, 'read');
    expect(await state(0)).toMatchObject({ goOn: true });
    expect(read).not.toHaveBeenCalled();
    const cancel = { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } } as const;
    await memory.given('workflow', 'wf', cancel);
    read.mockClear();
    expect(await state(0)).toMatchObject({ goOn: false, cancelled: true });
    expect(read).toHaveBeenCalledTimes(1);
    clock.mockRestore();
  });
  it('believes itself for a moment only', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    await state(0);
    const later = performance.now() + 2_000;
    const read = vi.spyOn(memory.store, 'read');
    const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
    expect(await state(0)).toMatchObject({ goOn: true });
    expect(read).toHaveBeenCalledTimes(1);
    clock.mockRestore();
  });
  it('knows a result that is in the log', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0), actionSucceeded(0));
    expect(await state(0)).toMatchObject({ goOn: false, finished: true });
  });
  it('stops what the server timed out', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0), workflowTimedOut(0));
    expect(await state(0)).toEqual({ goOn: false, finished: true, reason: 'the workflow has ended: timeout' });
  });
  it('stops what is being cancelled, and says that the worker is to report it', async () => {
    const cancel = { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } } as const;
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0), cancel);
    expect(await state(0)).toEqual({
      goOn: false,
      cancelled: true,
      finished: false,
      reason: 'the workflow is being cancelled',
    });
    await memory.given('workflow', 'wf', actionCancelled(0));
    expect(await state(0)).toEqual({ goOn: false, finished: true, reason: 'the workflow has ended: cancelled' });
  });
  it('stops the action of a deleted workflow', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0), workflowDeleted());
    expect(await state(0)).toEqual({ goOn: false, finished: false, reason: 'the workflow is deleted' });
  });
  it('tells nobody of another machine', async () => {
    await memory.given('workflow', 'wf', workflowCreated([theirs]));
    await expect(state(0)).rejects.toThrow(ForbiddenError);
    await expect(state(7)).rejects.toThrow(ForbiddenError);
    await expect(desk.state(hardwareId, { workflowId: 'none', index: 0, attempt: 1 })).rejects.toThrow(NotFoundError);
  });
});
