import type { WorkflowEvent } from '@tinkerbell/events';
import {
  actionFailed,
  actionHandlerFinished,
  actionSpec,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  hardwareId,
  recorded,
  templateId,
  workflowCreated,
  workflowDataUpdated,
  workflowDeleted,
  workflowTimedOut,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import type { WorkflowRow } from './rows';
import { workflowList } from './workflow-list.projection';
import { progressPercent, wireStates, workflowState } from './workflow-state';

function rowAfter(...events: readonly WorkflowEvent[]): WorkflowRow {
  const row = recorded('workflow', 'w', events).reduce<WorkflowRow | undefined>(workflowList.evolve, undefined);
  if (!row) throw new Error('no row');
  return row;
}

const created = workflowCreated(2);
const start = [actionStarted(0), actionSucceeded(0)];

describe('workflow-list', () => {
  it('is pending until its first action starts', () => {
    expect(rowAfter(created)).toMatchObject({ status: 'pending', current: 0, startedAt: null, createdPosition: 1 });
    expect(rowAfter(created, actionStarted(0))).toMatchObject({
      status: 'running',
      startedAt: '2026-01-01T00:00:02.000Z',
    });
  });
  it('is running between two actions, and succeeds with the last', () => {
    expect(rowAfter(created, ...start)).toMatchObject({ status: 'running', current: 1, finishedAt: null });
    expect(rowAfter(created, ...start, actionStarted(1), actionSucceeded(1))).toMatchObject({
      status: 'success',
      current: 2,
      finishedAt: '2026-01-01T00:00:05.000Z',
    });
  });
  it('has nothing to do without actions', () =>
    expect(rowAfter(workflowCreated([]))).toMatchObject({ status: 'success' }));
  it('keeps how an action failed and what its handler did', () => {
    const row = rowAfter(
      created,
      actionStarted(0),
      actionFailed(0, { reason: 'pull', exitCode: null }),
      actionHandlerFinished(0),
    );
    expect(row).toMatchObject({ status: 'failed', current: 0 });
    expect(row.actions[0]).toMatchObject({
      status: 'failed',
      reason: 'pull',
      exitCode: null,
      handler: { exitCode: 0 },
    });
  });
  it('lists one line a report', () => {
    const row = rowAfter(created, ...start, actionStarted(1), actionTimedOut(1));
    expect(row.events.map(({ action, status, seconds, message }) => [action, status, seconds, message])).toEqual([
      ['action-0', 'running', 0, 'Started execution'],
      ['action-0', 'success', 3, 'ok'],
      ['action-1', 'running', 0, 'Started execution'],
      ['action-1', 'timeout', 60, 'late'],
    ]);
  });
  it('ends the running action with the global timeout', () => {
    const row = rowAfter(created, actionStarted(0), workflowTimedOut(0));
    expect(row).toMatchObject({ status: 'timeout', actions: [{ status: 'timeout' }, { status: 'pending' }] });
  });
  it('keeps every version of the data, and its row when it is deleted', () => {
    const row = rowAfter(created, ...start, workflowDataUpdated(1), workflowDataUpdated(2), workflowDeleted());
    expect(row.data.map(({ version }) => version)).toEqual([1, 2]);
    expect(row.deletedAt).toBe('2026-01-01T00:00:06.000Z');
    expect(workflowList.lookups?.(row)).toEqual([`worker:${hardwareId}`, 'deleted']);
    expect(workflowList.queues?.(row)).toEqual([]);
  });
  it('is found by its workers, its status and its template', () => {
    const row = rowAfter(workflowCreated([actionSpec(), actionSpec({ workerId: 'other' }), actionSpec()]));
    expect(workflowList.lookups?.(row)).toEqual([
      `worker:${hardwareId}`,
      'worker:other',
      'status:pending',
      `template:${templateId}`,
    ]);
  });
  it('stands in the queues of its workers until it has ended, before all that have not begun once it has', () => {
    const specs = [actionSpec(), actionSpec({ workerId: 'other' }), actionSpec()];
    const queuesAfter = (...events: readonly WorkflowEvent[]) =>
      workflowList.queues?.(rowAfter(workflowCreated(specs), ...events)) ?? [];
    const [waiting, begun] = [queuesAfter(), queuesAfter(actionStarted(0))];
    for (const queues of [waiting, begun])
      expect(queues.map(({ queue }) => queue)).toEqual([`queue:${hardwareId}`, 'queue:other']);
    const rankOf = (queues: typeof waiting) => queues[0]?.rank ?? NaN;
    expect(rankOf(begun)).toBeLessThan(rankOf(waiting));
    expect(rankOf(waiting)).toBeLessThan(Number.MAX_SAFE_INTEGER);
    expect(queuesAfter(actionStarted(0), workflowTimedOut(0))).toEqual([]);
  });
});

it('is remembered as done by its workers once it has ended, until it is deleted', () => {
  const endedAfter = (...events: readonly WorkflowEvent[]) =>
    (workflowList.lookups?.(rowAfter(workflowCreated(1), ...events)) ?? []).filter((lookup) =>
      lookup.startsWith('ended:'),
    );
  expect(endedAfter()).toEqual([]);
  expect(endedAfter(actionStarted(0))).toEqual([]);
  expect(endedAfter(actionStarted(0), actionSucceeded(0))).toEqual([`ended:${hardwareId}`]);
  expect(endedAfter(workflowTimedOut())).toEqual([`ended:${hardwareId}`]);
  expect(endedAfter(actionStarted(0), actionSucceeded(0), workflowDeleted())).toEqual([]);
});

describe('workflow state', () => {
  it.each([
    [0, 0, 'pending', 0],
    [4, 0, 'success', 25],
    [4, 3, 'success', 100],
    [4, 0, 'running', 0],
    [4, 0, 'failed', 0],
    [3, 1, 'running', 33],
    [3, 1, 'success', 66],
    [3, 2, 'failed', 66],
  ] as const)('%i actions, %i is %s: %i %%', (total, index, state, want) => {
    expect(progressPercent(total, index, state)).toBe(want);
  });
  it('has no names before the first report', () => {
    expect(workflowState(rowAfter(created))).toEqual({
      workflowId: 'w',
      currentWorker: '',
      currentTask: '',
      currentAction: '',
      currentActionIndex: 0,
      currentActionState: 'pending',
      totalNumberOfActions: 2,
      progressPercent: 0,
    });
  });
  it('stays on an action that succeeded until the next one starts', () => {
    const want = {
      currentAction: 'action-0',
      currentActionIndex: 0,
      currentActionState: 'success',
      progressPercent: 50,
    };
    expect(workflowState(rowAfter(created, ...start))).toMatchObject(want);
    expect(workflowState(rowAfter(created, ...start, actionStarted(1)))).toMatchObject({
      currentAction: 'action-1',
      currentActionState: 'running',
      progressPercent: 50,
    });
  });
  it('shows a global timeout between two actions', () => {
    const view = workflowState(rowAfter(created, ...start, workflowTimedOut()));
    expect(view).toMatchObject({ currentActionState: 'timeout', progressPercent: 50 });
    expect(wireStates[view.currentActionState]).toBe('STATE_TIMEOUT');
  });
});
