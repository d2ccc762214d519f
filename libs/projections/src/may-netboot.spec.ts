import type { WorkflowEvent } from '@tinkerbell/events';
import {
  actionFailed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  hardwareId,
  recorded,
  workflowCreated,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { mayNetboot } from './may-netboot';
import type { WorkflowRow } from './rows';
import { workflowList } from './workflow-list.projection';

const allowed = { allow_pxe: true };
const day = '2026-01-01T00:00:00.000Z';
const cancel = { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } } as const;
const created = workflowCreated(1);
const begun = [created, actionStarted(0)];
const histories = {
  pending: [created],
  running: begun,
  success: [...begun, actionSucceeded(0)],
  failed: [...begun, actionFailed(0)],
  timeout: [...begun, actionTimedOut(0)],
  'cancelled before it began': [created, cancel],
} as const;

function after(createdPosition: number, events: readonly WorkflowEvent[], deletedAt: string | null = null) {
  const row = recorded('workflow', 'w', events).reduce<WorkflowRow | undefined>(workflowList.evolve, undefined);
  if (!row) throw new Error('no row');
  return { ...row, id: `w${createdPosition}`, createdPosition, deletedAt };
}
const workflow = (at: number, state: keyof typeof histories, deletedAt?: string) =>
  after(at, histories[state], deletedAt);
const verdict = (...workflows: readonly WorkflowRow[]) => mayNetboot(allowed, hardwareId, workflows);

describe('may netboot', () => {
  it('never when the record says no', () =>
    expect(mayNetboot({ allow_pxe: false }, hardwareId, [workflow(1, 'pending')])).toEqual({
      allowed: false,
      reason: 'allow_pxe is false',
    }));
  it('a machine that never had a workflow', () => expect(verdict().allowed).toBe(true));
  it.each([
    ['pending', true, 'pending'],
    ['running', true, 'running'],
    ['success', false, 'success'],
    ['failed', false, 'failed'],
    ['timeout', false, 'timeout'],
    ['cancelled before it began', false, 'cancelled'],
  ] as const)('%s: %s', (state, want, status) =>
    expect(verdict(workflow(1, state))).toEqual({ allowed: want, reason: `workflow w1 is ${status}` }),
  );
  it.each(['pending', 'running', 'success', 'failed', 'timeout'] as const)('deleted while %s: not', (state) =>
    expect(verdict(workflow(1, state, day)).allowed).toBe(false),
  );
  it('the newest counts, in whatever order they come', () => {
    const rows = [workflow(2, 'pending'), workflow(1, 'success')];
    expect(verdict(...rows)).toEqual({ allowed: true, reason: 'workflow w2 is pending' });
    expect(verdict(...rows.toReversed()).allowed).toBe(true);
    expect(verdict(workflow(1, 'pending'), workflow(2, 'success')).allowed).toBe(false);
  });
  it('deleting an installed machine’s workflow does not install it again', () =>
    expect(verdict(workflow(1, 'success', day)).allowed).toBe(false));
  it('one that was deleted before it began takes nothing away', () => {
    expect(verdict(workflow(1, 'running'), workflow(2, 'pending', day)).allowed).toBe(true);
    expect(verdict(workflow(1, 'success'), workflow(2, 'pending', day)).allowed).toBe(false);
  });
  it('one that was cancelled before it began takes nothing away, deleted or not', () => {
    for (const deletedAt of [undefined, day]) {
      const never = workflow(2, 'cancelled before it began', deletedAt);
      expect(verdict(workflow(1, 'running'), never)).toEqual({ allowed: true, reason: 'workflow w1 is running' });
      expect(verdict(workflow(1, 'success'), never).allowed).toBe(false);
      expect(verdict(never).allowed).toBe(false);
    }
  });
  it('not for a workflow that goes on elsewhere and has nothing more for the machine', () => {
    const other = '11111111-3772-4b4a-ab9f-6ebe93b90a95';
    const theirs = actionSpec({ workerId: other });
    const done = [actionStarted(0), actionSucceeded(0)];
    const needed = after(1, [workflowCreated([actionSpec(), theirs, actionSpec()]), ...done]);
    expect(verdict(needed)).toEqual({ allowed: true, reason: 'workflow w1 is running' });
    const left = after(1, [workflowCreated([actionSpec(), theirs]), ...done]);
    expect(verdict(left)).toEqual({ allowed: false, reason: 'workflow w1 is running, with nothing more for it' });
    expect(mayNetboot(allowed, other, [left]).allowed).toBe(true);
  });
});
