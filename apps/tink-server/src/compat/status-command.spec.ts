import { fold, InvalidError, NotFoundError, workflowDecider } from '@tinkerbell/domain';
import type { WorkflowEvent } from '@tinkerbell/events';
import { actionFailed, actionStarted, actionSucceeded, workflowCreated } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { startIsMissing, statusCommand, type ActionStatusMessage } from './status-command';

const now = '2026-01-01T00:00:00.000Z';
const report = (
  action: number,
  action_status: string,
  over: Partial<ActionStatusMessage> = {},
): ActionStatusMessage => ({
  workflow_id: 'wf',
  task_name: 'hello world',
  action_name: `action-${action}`,
  action_status,
  seconds: 3,
  message: 'm',
  worker_id: '',
  ...over,
});
const after = (...events: readonly WorkflowEvent[]) => fold(workflowDecider, events);
const created = workflowCreated(2);
const run = (message: ActionStatusMessage, ...events: readonly WorkflowEvent[]) => {
  const state = after(...events);
  return workflowDecider.decide(statusCommand(message, state, now), state);
};

describe('statusCommand', () => {
  it('starts the next action', () => {
    expect(run(report(0, 'STATE_RUNNING'), created)).toMatchObject([
      { type: 'ActionStarted', data: { index: 0, attempt: 1 } },
    ]);
    expect(run(report(1, 'STATE_RUNNING'), created, actionStarted(0), actionSucceeded(0))).toMatchObject([
      { type: 'ActionStarted', data: { index: 1, attempt: 1 } },
    ]);
  });
  it.each([
    ['STATE_SUCCESS', 'ActionSucceeded', undefined],
    ['STATE_FAILED', 'ActionFailed', 'failed'],
    ['STATE_TIMEOUT', 'ActionTimedOut', 'timeout'],
  ])('%s becomes %s', (status, type, ends) =>
    expect(run(report(0, status), created, actionStarted(0))).toMatchObject([
      { type, data: { index: 0, seconds: 3 } },
      ...(ends === undefined ? [] : [{ type: 'WorkflowFinished', data: { status: ends } }]),
    ]),
  );

  it('does nothing for a repeated report, where the originals ran over the end of the list', () => {
    const bootId = 'grpc';
    expect(run(report(0, 'STATE_RUNNING'), created, actionStarted(0, { bootId }))).toEqual([]);
    expect(run(report(0, 'STATE_SUCCESS'), created, actionStarted(0), actionSucceeded(0))).toEqual([]);
    expect(run(report(0, 'STATE_FAILED'), created, actionStarted(0), actionFailed(0))).toEqual([]);
    const all = [created, actionStarted(0), actionSucceeded(0), actionStarted(1), actionSucceeded(1)] as const;
    expect(run(report(1, 'STATE_SUCCESS'), ...all)).toEqual([]);
    expect(() => run(report(1, 'STATE_RUNNING'), ...all)).toThrow();
  });
  it('knows when the end of an action is the first that is heard of it', () => {
    const missing = (message: ActionStatusMessage, ...events: readonly WorkflowEvent[]) =>
      startIsMissing(message, after(...events));
    const next = [created, actionStarted(0), actionSucceeded(0)] as const;
    expect(missing(report(1, 'STATE_SUCCESS'), ...next)).toBe(true);
    expect(missing(report(0, 'STATE_FAILED'), created)).toBe(true);
    expect(missing(report(1, 'STATE_RUNNING'), ...next)).toBe(false);
    expect(missing(report(0, 'STATE_SUCCESS'), ...next)).toBe(false);
    // What cannot be reported must leave nothing behind.
    for (const strange of ['STATE_PENDING', '', 'toString']) expect(missing(report(1, strange), ...next)).toBe(false);
    expect(missing(report(1, 'STATE_SUCCESS'), ...next, actionStarted(1))).toBe(false);
    expect(missing(report(1, 'STATE_SUCCESS'), created, actionStarted(0), actionFailed(0))).toBe(false);
    expect(missing(report(1, 'STATE_SUCCESS'))).toBe(false);
  });
  it('does not let a late success overwrite a failure', () =>
    expect(() => run(report(0, 'STATE_SUCCESS'), created, actionStarted(0), actionFailed(0))).toThrow(/failed/));
  it('compares the worker', () =>
    expect(() => run(report(0, 'STATE_RUNNING', { worker_id: 'other' }), created)).toThrow(/assigned to worker/));
  it.each([
    [{ task_name: 'x' }, 'reported task name does not match the current action details'],
    [{ action_name: 'x' }, 'reported action name does not match the current action details'],
    [{ action_status: 'STATE_PENDING' }, 'STATE_PENDING cannot be reported'],
  ])('refuses %j', (over, message) => {
    const call = () => run(report(0, 'STATE_SUCCESS', over), created, actionStarted(0));
    expect(call).toThrow(InvalidError);
    expect(call).toThrow(message);
  });
  it('knows no strange workflow', () => expect(() => run(report(0, 'STATE_RUNNING'))).toThrow(NotFoundError));
});
