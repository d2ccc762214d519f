import type { WorkflowEvent } from '@tinkerbell/events';
import {
  actionFailed,
  actionHandlerFinished,
  actionSpec,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  hardwareId,
  specify,
  workflowCreated,
  workflowDataUpdated,
  workflowDeleted,
  workflowFinished,
  workflowTimedOut,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { DomainError } from '../errors';
import { maxDataBytes } from './data-rules';
import type { FinishAction, WorkflowCommand } from './workflow-commands';
import { workflowDecider } from './workflow.decider';

const given = specify(workflowDecider);
const at = '2026-01-01T00:00:00.000Z';
const report = { attempt: 1, workerId: hardwareId } as const;
const start = (index: number, over: object = {}) =>
  ({ type: 'StartAction', index, ...report, bootId: 'boot-1', startedAt: at, ...over }) as const;
const finish = (index: number, outcome: FinishAction['outcome'] = 'succeeded', over: object = {}) =>
  ({
    type: 'FinishAction',
    index,
    ...report,
    outcome,
    reason: outcome === 'failed' ? 'exit' : null,
    exitCode: outcome === 'failed' ? 17 : null,
    seconds: 3,
    finishedAt: at,
    message: 'ok',
    ...over,
  }) as const;
const handler = (index: number, over: object = {}) =>
  ({
    type: 'FinishHandler',
    index,
    ...report,
    handler: 'on-failure',
    exitCode: 0,
    seconds: 1,
    message: '',
    ...over,
  }) as const;
const expire = (index: number, over: object = {}) =>
  ({ type: 'ExpireAction', index, attempt: 1, seconds: 60, message: 'late', ...over }) as const;
const abandon = (index: number, over: object = {}) =>
  ({ type: 'AbandonAction', index, ...report, bootId: 'boot-2', seconds: 9, finishedAt: at, ...over }) as const;
const put = (over: object = {}) =>
  ({ type: 'PutData', workerId: hardwareId, index: 0, sha256: 'a'.repeat(64), size: 2, ...over }) as const;
const create = { type: 'CreateWorkflow', ...workflowCreated().data } as const;
const expireAll = { type: 'ExpireWorkflow' } as const;
const remove = { type: 'DeleteWorkflow' } as const;

const withHandlers = workflowCreated(
  [0, 1].map((i) => actionSpec({ name: `action-${i}`, onFailure: ['echo'], onTimeout: ['date'] })),
  { globalTimeoutSeconds: 600 },
);
const states = {
  none: [],
  pending: [withHandlers],
  running: [withHandlers, actionStarted(0)],
  between: [withHandlers, actionStarted(0), actionSucceeded(0)],
  'running the last': [withHandlers, actionStarted(0), actionSucceeded(0), actionStarted(1)],
  success: [withHandlers, actionStarted(0), actionSucceeded(0), actionStarted(1), actionSucceeded(1)],
  failed: [withHandlers, actionStarted(0), actionFailed(0)],
  'timed out': [withHandlers, actionStarted(0), actionTimedOut(0)],
  'globally timed out': [withHandlers, actionStarted(0), workflowTimedOut(0)],
  handled: [withHandlers, actionStarted(0), actionFailed(0), actionHandlerFinished(0)],
  deleted: [withHandlers, actionStarted(0), workflowDeleted()],
} satisfies Record<string, readonly WorkflowEvent[]>;
type Named = keyof typeof states;

/** Each command in each state: the events' types, '-' for nothing, or the code of the refusal. */
const columns: readonly Named[] = Object.keys(states) as Named[];
const X = 'ILLEGAL_TRANSITION';
const Y = 'NOT_YET';
const N = 'NOT_FOUND';
const C = 'CONFLICT';
const late = 'WorkflowTimedOut WorkflowFinished';
const rows: readonly (readonly [string, WorkflowCommand, readonly string[]])[] = [
  //                    none  pending          running            between          running last      success  failed timed-out global            handled deleted
  ['create', create, ['WorkflowCreated', C, C, C, C, C, C, C, C, C, C]],
  ['start 0', start(0), [N, 'ActionStarted', '-', '-', '-', '-', '-', '-', '-', '-', X]],
  ['start 1', start(1), [N, X, X, 'ActionStarted', '-', '-', X, X, X, X, X]],
  ['start 0 anew', start(0, { attempt: 2 }), [N, 'INVALID', X, X, X, X, X, X, X, X, X]],
  ['start 2', start(2), [N, ...Array<string>(9).fill('INVALID'), X]],
  ['succeed 0', finish(0), [N, X, 'ActionSucceeded', '-', '-', '-', X, X, X, X, X]],
  ['fail 0', finish(0, 'failed'), [N, X, 'ActionFailed WorkflowFinished', X, X, X, '-', X, X, '-', X]],
  ['time out 0', finish(0, 'timed-out'), [N, X, 'ActionTimedOut WorkflowFinished', X, X, X, X, '-', '-', X, X]],
  ['succeed 1', finish(1), [N, X, X, X, 'ActionSucceeded WorkflowFinished', '-', X, X, X, X, X]],
  ['handle a failure', handler(0), [N, X, X, X, X, X, 'ActionHandlerFinished', 'INVALID', 'INVALID', '-', X]],
  [
    'handle a timeout',
    handler(0, { handler: 'on-timeout' }),
    [N, X, X, X, X, X, 'INVALID', 'ActionHandlerFinished', 'ActionHandlerFinished', 'INVALID', X],
  ],
  ['expire 0', expire(0), [N, '-', 'ActionTimedOut WorkflowFinished', '-', '-', '-', '-', '-', '-', '-', '-']],
  ['expire all', expireAll, [N, X, late, late, late, '-', '-', '-', '-', '-', '-']],
  ['abandon 0', abandon(0), [N, X, 'ActionFailed WorkflowFinished', '-', '-', '-', '-', '-', '-', '-', X]],
  ['abandon 1', abandon(1), [N, X, X, X, 'ActionFailed WorkflowFinished', '-', X, X, X, X, X]],
  ['put data of 0', put(), [N, Y, 'WorkflowDataUpdated', 'WorkflowDataUpdated', X, X, X, X, X, X, X]],
  ['put data of 1', put({ index: 1 }), [N, Y, Y, Y, 'WorkflowDataUpdated', 'WorkflowDataUpdated', X, X, X, X, X]],
  [
    'put data as operator',
    put({ workerId: null, index: null }),
    [N, ...Array<string>(9).fill('WorkflowDataUpdated'), X],
  ],
  ['delete', remove, [N, ...Array<string>(9).fill('WorkflowDeleted'), '-']],
];
const cells = rows.flatMap(([name, command, wants]) =>
  columns.map((state, i) => ({ name, state, command, want: wants[i] })),
);

function outcomeOf(command: WorkflowCommand, state: Named): string {
  try {
    const events = workflowDecider.decide(command, fold(workflowDecider, states[state]));
    return events.map(({ type }) => type).join(' ') || '-';
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

describe('every command in every state', () => {
  it('is in the table', () => {
    expect(rows.every(([, , wants]) => wants.length === columns.length)).toBe(true);
    expect(new Set(rows.map(([, { type }]) => type)).size).toBe(9);
  });
  it.each(cells)('$name while $state: $want', ({ command, state, want }) =>
    expect(outcomeOf(command, state)).toBe(want),
  );

  it.each(cells)('$name while $state, twice, is once or refused', ({ command, state }) => {
    const before = fold(workflowDecider, states[state]);
    let events: readonly WorkflowEvent[];
    try {
      events = workflowDecider.decide(command, before);
    } catch (error) {
      expect(error).toBeInstanceOf(DomainError);
      return;
    }
    if (events.length === 0 || command.type === 'CreateWorkflow') return;
    const after = fold(workflowDecider, events, before);
    expect(workflowDecider.decide(command, after)).toEqual([]);
  });

  it.each(cells)('$name does not leave a terminal $state', ({ command, state }) => {
    const before = fold(workflowDecider, states[state]);
    if (before.status !== 'success' && before.status !== 'failed' && before.status !== 'timeout') return;
    let after = before;
    try {
      after = fold(workflowDecider, workflowDecider.decide(command, before), before) as typeof before;
    } catch (error) {
      expect(error).toBeInstanceOf(DomainError);
    }
    expect(after.status).toBe(before.status);
  });
});

describe('workflow', () => {
  it('is created once, and nothing when the same again', () => {
    given().when(create).then(workflowCreated());
    given(workflowCreated()).when(create).thenNothing();
    given(workflowCreated(), workflowDeleted()).when(create).thenThrows('CONFLICT', 'exists, deleted');
  });
  it('without actions has succeeded', () => {
    given(workflowCreated([])).when(expireAll).thenNothing();
    expect(fold(workflowDecider, [workflowCreated([])])).toMatchObject({ status: 'success' });
  });
  it('records what the worker reports', () => {
    given(workflowCreated()).when(start(0)).then(actionStarted(0));
    given(workflowCreated(), actionStarted(0))
      .when(finish(0))
      .then(actionSucceeded(0, { message: 'ok' }));
    given(workflowCreated(), actionStarted(0))
      .when(finish(0, 'failed', { reason: 'pull', exitCode: null }))
      .then(actionFailed(0, { reason: 'pull', exitCode: null, message: 'ok' }), workflowFinished('failed', 0));
    given(workflowCreated(), actionStarted(0))
      .when(finish(0, 'timed-out'))
      .then(actionTimedOut(0, { seconds: 3, firedBy: 'worker', message: 'ok' }), workflowFinished('timeout', 0));
  });
  it('keeps 200 characters of a message', () => {
    const long = '😀'.repeat(201);
    given(workflowCreated(), actionStarted(0))
      .when(finish(0, 'succeeded', { message: long }))
      .then(actionSucceeded(0, { message: `${'😀'.repeat(199)}…` }));
  });
  it('lets the first report win: a success after the server gave up is refused, and so the other way round', () => {
    given(workflowCreated(), actionStarted(0), actionTimedOut(0, { firedBy: 'server' }))
      .when(finish(0))
      .thenThrows(
        'ILLEGAL_TRANSITION',
        'FinishAction 0 (succeeded) is not allowed while action 0 is recorded as timed-out',
      );
    given(workflowCreated(), actionStarted(0), actionSucceeded(0)).when(expire(0)).thenNothing();
  });
  it('times out an action for its worker', () =>
    given(workflowCreated(), actionStarted(0))
      .when(expire(0))
      .then(actionTimedOut(0, { firedBy: 'server' }), workflowFinished('timeout', 0)));
  it('does not expire an attempt that is not the running one', () =>
    given(workflowCreated(), actionStarted(0))
      .when(expire(0, { attempt: 2 }))
      .thenNothing());
  it('fails an action whose machine was started anew, as of unknown outcome', () => {
    given(workflowCreated(), actionStarted(0))
      .when(abandon(0))
      .then(
        actionFailed(0, {
          seconds: 9,
          reason: 'unknown-outcome',
          exitCode: null,
          message: 'the machine was started anew while the action ran; nobody knows what it has done',
        }),
        workflowFinished('failed', 0),
      );
    given(workflowCreated(), actionStarted(0))
      .when(abandon(0, { bootId: 'boot-1' }))
      .thenThrows('CONFLICT', 'still belongs to boot boot-1');
  });
  it('refuses a start of the running attempt from another boot', () =>
    given(workflowCreated(), actionStarted(0))
      .when(start(0, { bootId: 'boot-2' }))
      .thenThrows('CONFLICT', 'was started by boot boot-1, not by boot-2'));
  it.each([start(0), finish(0), handler(0), abandon(0), put()])(
    'refuses $type from a worker that is not the assigned one',
    (command) =>
      given(workflowCreated(), actionStarted(0))
        .when({ ...command, workerId: 'other' } as WorkflowCommand)
        .thenThrows('FORBIDDEN', `action 0 is assigned to worker ${hardwareId}, not to other`),
  );
  it.each([0, -1, 1.5, Number.NaN])('refuses attempt %s', (attempt) =>
    given(workflowCreated()).when(start(0, { attempt })).thenThrows('INVALID', 'attempt must be a whole number from 1'),
  );
  it.each([-1, 2, 0.5])('refuses action %s of two', (index) =>
    given(workflowCreated()).when(start(index)).thenThrows('INVALID', `there is no action ${index}`),
  );
  it('runs on-failure after a timeout without on-timeout', () => {
    const created = workflowCreated([actionSpec({ onFailure: ['x'] })]);
    given(created, actionStarted(0), actionTimedOut(0)).when(handler(0)).then(actionHandlerFinished(0));
    given(workflowCreated(), actionStarted(0), actionFailed(0))
      .when(handler(0))
      .thenThrows('INVALID', 'its handler is none');
  });
  it('has a global timeout from the first start on, if it has one', () => {
    given(withHandlers, actionStarted(0)).when(expireAll).then(workflowTimedOut(0), workflowFinished('timeout', 0));
    given(withHandlers, actionStarted(0), actionSucceeded(0))
      .when(expireAll)
      .then(workflowTimedOut(null), workflowFinished('timeout'));
    given(workflowCreated(), actionStarted(0))
      .when(expireAll)
      .thenThrows('ILLEGAL_TRANSITION', 'without a global timeout');
  });
});

describe('workflow data', () => {
  const running = [workflowCreated(), actionStarted(0)] as const;
  it('counts its versions', () => {
    given(...running)
      .when(put())
      .then(workflowDataUpdated(1, { sha256: 'a'.repeat(64) }));
    given(...running, workflowDataUpdated(1))
      .when(put())
      .then(workflowDataUpdated(2, { sha256: 'a'.repeat(64) }));
  });
  it('is nothing new when its content is the newest version’s', () =>
    given(...running, workflowDataUpdated(1, { sha256: 'a'.repeat(64) }))
      .when(put())
      .thenNothing());
  it('of an operator names no action', () =>
    given(workflowCreated())
      .when(put({ workerId: null, index: null }))
      .then(workflowDataUpdated(1, { sha256: 'a'.repeat(64), workerId: '', task: '', action: '' })));
  it('has at most 10 MiB', () => {
    given(...running)
      .when(put({ size: maxDataBytes }))
      .then(workflowDataUpdated(1, { sha256: 'a'.repeat(64), size: maxDataBytes }));
    given(...running)
      .when(put({ size: maxDataBytes + 1 }))
      .thenThrows('INVALID', 'workflow data is 10485761 bytes, more than 10485760');
    given(...running)
      .when(put({ size: 1 }))
      .thenThrows('INVALID', 'must be a JSON object');
  });
  it('has a checksum', () =>
    given(...running)
      .when(put({ sha256: 'A' }))
      .thenThrows('INVALID', '64 lower-case hex digits'));
});
