import type { ActionPlan, WorkflowEvent } from '@tinkerbell/events';
import {
  actionAttemptFailed,
  actionCancelled,
  actionFailed,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  graph,
  specify,
  workflowFinished,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { ancestorsOf, endingOf, outlooks, type ActionStatus } from './graph';
import { nextAssignment } from './next-assignment';
import type { FinishAction } from './workflow-commands';
import { workflowDecider } from './workflow.decider';

const given = specify(workflowDecider);
const now = '2026-01-01T00:00:00.000Z';
const worker = actionStarted(0).data.workerId;
const finish = (index: number, outcome: FinishAction['outcome'] = 'succeeded', over: Partial<FinishAction> = {}) =>
  ({
    type: 'FinishAction',
    ...{ index, attempt: 1, workerId: worker, seconds: 3, finishedAt: now, message: 'ok', outcome, now },
    ...{ reason: outcome === 'failed' ? 'exit' : null, exitCode: outcome === 'failed' ? 17 : 0 },
    ...over,
  }) as FinishAction;
const done = (...indexes: readonly number[]): readonly WorkflowEvent[] =>
  indexes.flatMap((index) => [actionStarted(index), actionSucceeded(index)]);
const finished = (status: 'success' | 'failed' | 'timeout' | 'cancelled', name?: string, index: number | null = null) =>
  workflowFinished(
    status,
    index,
    `${name ? `t/${name}` : 'the workflow'} ${{ success: 'succeeded', failed: 'failed', timeout: 'timed out', cancelled: 'was cancelled' }[status]}`,
  );

describe('outlooks', () => {
  const plan = (needs: readonly number[], runs: ActionPlan['runs'] = 'success') => ({ needs, runs });
  it.each<[string, readonly ReturnType<typeof plan>[], readonly ActionStatus[], readonly string[]]>([
    ['one after the other', [plan([]), plan([0])], ['pending', 'pending'], ['ready', 'waiting']],
    ['what runs is active', [plan([]), plan([0])], ['running', 'pending'], ['active', 'waiting']],
    ['a skipped one counts as done', [plan([]), plan([0])], ['skipped', 'pending'], ['ended', 'ready']],
    [
      'a failure blocks all behind it',
      [plan([]), plan([0]), plan([1])],
      ['failed', 'pending', 'pending'],
      ['ended', 'blocked', 'blocked'],
    ],
    [
      'without waiting for the others',
      [plan([]), plan([]), plan([0, 1])],
      ['failed', 'running', 'pending'],
      ['ended', 'active', 'blocked'],
    ],
    [
      'a handler of a failure',
      [plan([]), plan([0], 'failure'), plan([0], 'timeout')],
      ['failed', 'pending', 'pending'],
      ['ended', 'ready', 'blocked'],
    ],
    [
      'a handler of a timeout',
      [plan([]), plan([0], 'failure'), plan([0], 'timeout')],
      ['timeout', 'pending', 'pending'],
      ['ended', 'ready', 'ready'],
    ],
    ['a handler that is not needed', [plan([]), plan([0], 'failure')], ['success', 'pending'], ['ended', 'blocked']],
    [
      'a handler waits until all have ended',
      [plan([]), plan([]), plan([0, 1], 'failure')],
      ['failed', 'running', 'pending'],
      ['ended', 'active', 'waiting'],
    ],
    [
      'finally, also behind what is blocked',
      [plan([]), plan([0]), plan([0, 1], 'always')],
      ['failed', 'pending', 'pending'],
      ['ended', 'blocked', 'ready'],
    ],
    [
      'an unknown outcome keeps all waiting',
      [plan([]), plan([0], 'always')],
      ['unknown', 'pending'],
      ['active', 'waiting'],
    ],
  ])('%s', (_, plans, statuses, want) => expect(outlooks(plans, statuses)).toEqual(want));

  it('end a workflow when nothing can run any more, with the first that went wrong', () => {
    const plans = [plan([]), plan([]), plan([0])];
    expect(endingOf(plans, ['failed', 'running', 'pending'], false)).toBeUndefined();
    expect(endingOf(plans, ['failed', 'timeout', 'pending'], false)).toEqual({ status: 'failed', index: 0 });
    expect(endingOf(plans, ['success', 'timeout', 'success'], false)).toEqual({ status: 'timeout', index: 1 });
    expect(endingOf(plans, ['success', 'skipped', 'success'], false)).toEqual({ status: 'success', index: null });
    expect(endingOf(plans, ['success', 'running', 'pending'], true)).toBeUndefined();
    expect(endingOf(plans, ['success', 'cancelled', 'pending'], true)).toEqual({ status: 'cancelled', index: 1 });
    expect(endingOf([], [], false)).toEqual({ status: 'success', index: null });
  });

  it('know what an action builds on', () =>
    expect(ancestorsOf(3, [{ needs: [] }, { needs: [0] }, { needs: [0] }, { needs: [2, 1] }])).toEqual([0, 1, 2]));
});

describe('a graph', () => {
  const diamond = graph({ a: {}, b: { needs: [0] }, c: { needs: [0] }, d: { needs: [1, 2] } });
  it('runs independent actions side by side and joins them', () => {
    const state = fold(workflowDecider, [diamond, ...done(0)]);
    const ask = (busy: readonly { index: number; attempt: number }[] | undefined, of = state) =>
      nextAssignment(of, { workflowId: 'w', workerId: worker, bootId: 'boot-1', now, busy });
    expect(ask([])).toMatchObject({ kind: 'assignment', index: 1 });
    const one = fold(workflowDecider, [diamond, ...done(0), actionStarted(1)]);
    expect(ask([{ index: 1, attempt: 1 }], one)).toMatchObject({ kind: 'assignment', index: 2 });
    // A worker that knows nothing of it gets one at a time.
    expect(ask(undefined, one)).toMatchObject({ kind: 'assignment', index: 1 });
    const both = fold(workflowDecider, [diamond, ...done(0), actionStarted(1), actionStarted(2)]);
    expect(
      ask(
        [1, 2].map((index) => ({ index, attempt: 1 })),
        both,
      ),
    ).toMatchObject({ kind: 'wait' });
    given(diamond, ...done(0), actionStarted(1), actionStarted(2), actionSucceeded(2))
      .when({ type: 'StartAction', ...actionStarted(3).data })
      .thenThrows('ILLEGAL_TRANSITION', 'action 1 attempt 1 is running');
    given(diamond, ...done(0, 1, 2), actionStarted(3))
      .when(finish(3))
      .then(actionSucceeded(3), finished('success'));
  });
  it('goes on beside a failure and fails when the rest has ended', () => {
    const apart = graph({ a: {}, b: {}, c: { needs: [0] } });
    given(apart, actionStarted(0), actionStarted(1))
      .when(finish(0, 'failed'))
      .then(actionFailed(0, { message: 'ok' }));
    given(apart, actionStarted(0), actionStarted(1), actionFailed(0))
      .when(finish(1))
      .then(actionSucceeded(1), finished('failed', 'a', 0));
  });
  it('runs handlers and what comes finally before it ends', () => {
    const guarded = graph({ a: {}, h: { needs: [0], runs: 'failure' }, f: { needs: [0, 1], runs: 'always' } });
    given(guarded, actionStarted(0))
      .when(finish(0, 'failed'))
      .then(actionFailed(0, { message: 'ok' }));
    given(guarded, actionStarted(0), actionFailed(0), ...done(1), actionStarted(2))
      .when(finish(2))
      .then(actionSucceeded(2), finished('failed', 'a', 0));
    given(guarded, actionStarted(0)).when(finish(0)).then(actionSucceeded(0));
    given(guarded, ...done(0), actionStarted(2))
      .when(finish(2))
      .then(actionSucceeded(2), finished('success'));
  });
});

describe('conditions', () => {
  const created = graph({
    probe: {},
    uefi: { needs: [0], condition: "outputs['t/probe'].firmware == 'uefi'" },
    end: { needs: [1] },
  });
  it('skip what they do not let through, and what needs it goes on', () =>
    given(created, actionStarted(0))
      .when(finish(0, 'succeeded', { outputs: { firmware: 'bios' } }))
      .then(actionSucceeded(0, { outputs: { firmware: 'bios' } }), {
        type: 'ActionSkipped',
        v: 1,
        data: { index: 1, by: 'condition', reason: "outputs['t/probe'].firmware == 'uefi' is false" },
      }));
  it('let through what they are true for', () =>
    given(created, actionStarted(0))
      .when(finish(0, 'succeeded', { outputs: { firmware: 'uefi' } }))
      .then(actionSucceeded(0, { outputs: { firmware: 'uefi' } })));
  it('end the workflow when they skip the last', () =>
    given(graph({ a: {}, b: { needs: [0], condition: 'failure()' } }), actionStarted(0))
      .when(finish(0))
      .then(
        actionSucceeded(0),
        { type: 'ActionSkipped', v: 1, data: { index: 1, by: 'condition', reason: 'failure() is false' } },
        finished('success'),
      ));
  it('fill in what later actions say of outputs', () => {
    const spec = {
      environment: [
        'DISK=${{ outputs["t/probe"].disk }}',
        'N=${{ outputs["t/probe"].n }}${{ outputs["t/probe"].none }}',
      ],
      command: ['x', "${{ outputs['t/probe'] }}"],
    };
    const state = fold(workflowDecider, [
      graph({ probe: {}, use: { needs: [0], spec } }),
      actionStarted(0),
      actionSucceeded(0, { outputs: { disk: '/dev/vda', n: 3 } }),
    ]);
    expect(nextAssignment(state, { workflowId: 'w', workerId: worker, bootId: 'b', now })).toMatchObject({
      action: { environment: ['DISK=/dev/vda', 'N=3'], command: ['x', '{"disk":"/dev/vda","n":3}'] },
    });
  });
});

describe('retries', () => {
  const policy = { limit: 2, delaySeconds: 10, factor: 3, maxDelaySeconds: 20, exitCodes: [17], onTimeout: false };
  const created = graph({ a: { retry: policy }, b: { needs: [0] } });
  const failedOnce = [created, actionStarted(0), actionAttemptFailed(0, { retryAt: '2026-01-01T00:00:10.000Z' })];
  it('follow a failure, later each time, as often as the policy says', () => {
    given(created, actionStarted(0))
      .when(finish(0, 'failed'))
      .then(actionAttemptFailed(0, { message: 'ok', retryAt: '2026-01-01T00:00:10.000Z' }));
    const second = [...failedOnce, actionStarted(0, { attempt: 2 })];
    given(...second)
      .when(finish(0, 'failed', { attempt: 2 }))
      .then(actionAttemptFailed(0, { attempt: 2, message: 'ok', retryAt: '2026-01-01T00:00:20.000Z' }));
    given(...second, actionAttemptFailed(0, { attempt: 2 }), actionStarted(0, { attempt: 3 }))
      .when(finish(0, 'failed', { attempt: 3 }))
      .then(actionFailed(0, { attempt: 3, message: 'ok' }), finished('failed', 'a', 0));
  });
  it('do not follow another exit code, a timeout or a refusal', () => {
    given(created, actionStarted(0))
      .when(finish(0, 'failed', { exitCode: 1 }))
      .then(actionFailed(0, { exitCode: 1, message: 'ok' }), finished('failed', 'a', 0));
    given(created, actionStarted(0))
      .when(finish(0, 'timed-out'))
      .then(actionTimedOut(0, { seconds: 3, message: 'ok' }), finished('timeout', 'a', 0));
    given(created, actionStarted(0))
      .when(finish(0, 'failed', { reason: 'refused' }))
      .then(actionFailed(0, { reason: 'refused', message: 'ok' }), finished('failed', 'a', 0));
    given(graph({ a: { retry: { ...policy, onTimeout: true } } }), actionStarted(0))
      .when(finish(0, 'timed-out'))
      .then(
        actionAttemptFailed(0, {
          outcome: 'timed-out',
          reason: null,
          exitCode: null,
          message: 'ok',
          retryAt: '2026-01-01T00:00:10.000Z',
        }),
      );
  });
  it('are handed out when their time has come', () => {
    const state = fold(workflowDecider, failedOnce);
    const ask = (at: string) => nextAssignment(state, { workflowId: 'w', workerId: worker, bootId: 'boot-1', now: at });
    expect(ask('2026-01-01T00:00:09.999Z')).toEqual({
      kind: 'wait',
      reason: 'workflow w tries t/a again at 2026-01-01T00:00:10.000Z; it failed 1 times',
      until: '2026-01-01T00:00:10.000Z',
    });
    expect(ask('2026-01-01T00:00:10.000Z')).toMatchObject({ kind: 'assignment', index: 0, attempt: 2 });
  });
  it('take a repeated report of an earlier try for what it is', () => {
    given(...failedOnce)
      .when(finish(0, 'failed'))
      .thenNothing();
    given(...failedOnce, actionStarted(0, { attempt: 2 }))
      .when(finish(0))
      .thenThrows('ILLEGAL_TRANSITION', 'attempt 1 is over');
    given(...failedOnce, actionStarted(0, { attempt: 2 }))
      .when({ type: 'StartAction', ...actionStarted(0).data })
      .thenNothing();
  });
});

describe('a finished report', () => {
  it('of another boot is fenced off', () =>
    given(graph({ a: {} }), actionStarted(0))
      .when(finish(0, 'succeeded', { bootId: 'boot-2' }))
      .thenThrows('FORBIDDEN', 'belongs to boot boot-1, not to boot-2'));
  it('that says cancelled is believed only while the workflow is being cancelled', () => {
    given(graph({ a: {} }), actionStarted(0))
      .when(finish(0, 'cancelled'))
      .thenThrows('ILLEGAL_TRANSITION', 'nobody cancelled it');
    given(graph({ a: {} }), actionStarted(0), { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } })
      .when(finish(0, 'cancelled', { message: 'stopped' }))
      .then(actionCancelled(0), finished('cancelled', 'a', 0));
  });
});
