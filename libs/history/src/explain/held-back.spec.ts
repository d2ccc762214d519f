import type { AnyEvent } from '@tinkerbell/events';
import {
  actionAttemptFailed,
  actionCancelled,
  actionSpec,
  actionStarted,
  actionSucceeded,
  hardwareId,
  planned,
  workflowCreated,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { evidence, made, ordered, specs, textsOf, working, type Fact } from '../testing/told-log';
import { explainWorkflow } from './explain';

describe('a workflow that is held back', () => {
  const wf = (event: AnyEvent, version = 5): Fact => ['workflow', 'w-1', event, version, 'user:eve'];
  const told = (...more: readonly Fact[]) => {
    const found = explainWorkflow('w-1', evidence([...working, ...more]));
    if (!found) throw new Error('no such workflow');
    return found;
  };
  // The event after `working` is stored then, the next one ten seconds later.
  const [first, second] = ['2026-01-01T00:02:30.000Z', '2026-01-01T00:02:40.000Z'];
  const paused = wf({ type: 'WorkflowPaused', v: 1, data: { reason: 'lunch' } });
  const retry = wf(actionAttemptFailed(1, { exitCode: 3, message: 'no link', retryAt: '2026-01-01T00:10:00.000Z' }));

  it('by nothing, while its action runs on although it is paused', () => {
    const { state, waiting } = told(paused);
    expect(state).toContain('has run action 2 of 2, "write-image"');
    expect(state).toContain('It is paused.');
    expect(waiting).toBeNull();
  });

  it('is paused, and waits for somebody who resumes it', () => {
    const { waiting, causes, expected } = told(retry, paused);
    expect(waiting).toEqual({ text: expect.stringContaining('tink workflow resume') as string, since: second });
    expect(textsOf(causes).at(-1)).toBe('workflow paused by eve: no further action starts (lunch)');
    expect(expected.map(({ text }) => text)).toContain('"write-image" runs once the workflow is resumed');
  });

  it('by a worker that got its first action and says nothing', () => {
    const taken = { type: 'MachinesTaken', v: 2, data: { workerIds: [hardwareId, 'other'], index: 0 } } as const;
    const facts: readonly Fact[] = [wf(workflowCreated(2), 1), wf(taken, 2)];
    const found = explainWorkflow('w-1', evidence(facts));
    expect(found?.expected).toContainEqual(
      expect.objectContaining({ text: '"action-0" begins, or the server gives it up', by: expect.any(String) }),
    );
  });

  it('is being cancelled: its worker has until the server gives up', () => {
    const { state, waiting, expected, causes } = told(
      wf({ type: 'WorkflowCancelRequested', v: 1, data: { reason: 'wrong machine' } }),
    );
    expect(state).toContain('It is being cancelled, since 30s.');
    expect(waiting).toEqual({ text: expect.stringContaining('has to stop what runs') as string, since: first });
    expect(expected[0]).toMatchObject({
      text: '"write-image" is stopped by its worker, or the server gives it up',
      by: '2026-01-01T00:03:30.000Z',
    });
    expect(textsOf(causes).at(-1)).toBe('cancellation of the workflow requested by eve (wrong machine)');
  });

  it('was cancelled', () => {
    const cancel = wf({ type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } });
    const { state, waiting, causes } = told(cancel, wf(actionCancelled(1, { confirmed: false, message: '' }), 6));
    expect(state).toBe('Workflow w-1 ("install") was cancelled after 40s, 20s ago, in action 2 of 2, "write-image".');
    expect(waiting).toBeNull();
    expect(textsOf(causes).at(-1)).toContain('its worker did not confirm that it has stopped');
  });

  it('needs an approval', () => {
    const careful = [specs[0], planned(actionSpec({ name: 'erase' }), 1, { approval: 'is it the old rack?' })].flatMap(
      (spec) => spec ?? [],
    );
    const facts: readonly Fact[] = [
      ...made,
      ['workflow', 'w-1', workflowCreated(careful)],
      ['workflow', 'w-1', actionStarted(0), 2],
      ['workflow', 'w-1', actionSucceeded(0), 3],
      wf({ type: 'ActionApprovalRequested', v: 1, data: { index: 1, message: 'is it the old rack?' } }, 3),
    ];
    const found = explainWorkflow('w-1', evidence(facts));
    expect(found?.state).toContain(`needs a person's approval of action 2 of 2, "erase"`);
    expect(found?.waiting).toEqual({
      text: 'somebody has to approve "erase": is it the old rack?',
      since: '2026-01-01T00:01:10.000Z',
    });
    expect(found?.expected.map(({ text }) => text)).toContain(
      '"erase" runs once it is approved, or fails when it is rejected',
    );
  });

  it('does not know what became of its action', () => {
    const { state, waiting, expected, causes } = told(
      wf({
        type: 'ActionOutcomeUnknown',
        v: 1,
        data: { index: 1, attempt: 1, workerId: hardwareId, bootId: 'boot-2', seconds: 9, message: '' },
      }),
    );
    expect(state).toContain('does not know what became of action 2 of 2');
    expect(waiting).toEqual({ text: expect.stringContaining('tink workflow resolve') as string, since: first });
    expect(expected.map(({ text }) => text)).toContain('"write-image" is resolved as done or failed, or runs again');
    expect(textsOf(causes).at(-1)).toBe(
      'outcome of "write-image" unknown: its machine was started anew 9.0s into attempt 1',
    );
    expect(textsOf(causes)).not.toContain('"write-image" started');
  });

  it('pauses before the next try, and says until when', () => {
    const { state, waiting, expected, causes } = told(retry);
    expect(state).toContain('is about to try action 2 of 2, "write-image" again');
    expect(waiting).toEqual({
      text: 'the pause before the next try of "write-image", until 2026-01-01T00:10:00.000Z',
      since: first,
    });
    expect(expected.map(({ text }) => text)).toContain(
      '"write-image" is tried again (attempt 2), not before 2026-01-01T00:10:00.000Z',
    );
    expect(textsOf(causes).at(-1)).toMatch(
      /^attempt 1 of "write-image" failed after .*: exit code 3 \(no link\); next try not before 2026-/,
    );
  });

  it('says when it will be recorded as late, and for want of what', () => {
    const late = (facts: readonly Fact[], over = {}) =>
      explainWorkflow('w-1', evidence(facts, { delaySeconds: { boot: 600, worker: 300 }, ...over }))
        ?.expected.filter(({ text }) => text.includes('late'))
        .map(({ text, by, since }) => [text, (Date.parse(by ?? '') - Date.parse(since ?? '')) / 1000]);
    expect(late(ordered)).toEqual([['the machine begins to boot, or the workflow is recorded as late', 600]]);
    const ready = working.slice(0, -3);
    expect(late(ready)).toEqual([['the worker begins this workflow, or the workflow is recorded as late', 300]]);
    expect(late(working)).toEqual([]);
    expect(late(ordered, { delaySeconds: { boot: 0, worker: 300 } })).toEqual([]);
    expect(late(ordered, { delaySeconds: undefined })).toEqual([]);
    const data = { cause: 'machine-never-booted', workerId: hardwareId, afterSeconds: 600, message: '' } as const;
    expect(late([...ordered, wf({ type: 'WorkflowDelayed', v: 1, data }, 2)])).toEqual([]);
    expect(late([...ordered, wf({ type: 'WorkflowPaused', v: 1, data: { reason: '' } }, 2)])).toEqual([]);
  });

  it('is late, and says whose fault that is', () => {
    const data = {
      cause: 'machine-never-booted',
      workerId: hardwareId,
      afterSeconds: 600,
      message: 'nothing was heard of the machine for 600 s',
    } as const;
    const found = explainWorkflow('w-1', evidence([...ordered, wf({ type: 'WorkflowDelayed', v: 1, data }, 2)]));
    expect(found?.waiting?.text).toBe(
      'the machine has to be powered on, or restarted, to boot from the network; ' +
        'that is late: nothing was heard of the machine for 600 s',
    );
    expect(textsOf(found?.causes).at(-1)).toContain('workflow is late: its machine has not booted for 10m');
  });

  it('tells a refused report once, however often it came', () => {
    const data = {
      kind: 'finish',
      index: 0,
      attempt: 1,
      workerId: hardwareId,
      outcome: 'success',
      code: 'out-of-order',
      message: 'it has ended',
    };
    const refused = (version: number) => wf({ type: 'ReportRefused', v: 1, data }, version);
    const { state, causes } = told(refused(5), refused(6));
    expect(state).toContain('2 reports of its workers were refused.');
    expect(textsOf(causes).filter((text) => text.includes('refused'))).toEqual([
      'report of "disk-wipe", attempt 1, refused and without effect: finish (success), out-of-order (it has ended)',
    ]);
  });
});
