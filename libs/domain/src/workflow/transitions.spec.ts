import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { WorkflowEvent } from '@tinkerbell/events';
import {
  actionAttemptFailed,
  actionCancelled,
  actionFailed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  hardwareId,
  planned,
  workflowCreated,
  workflowDeleted,
  workflowTimedOut,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { DomainError } from '../errors';
import type { WorkflowCommand } from './workflow-commands';
import { isTerminal } from './workflow-state';
import { workflowDecider } from './workflow.decider';

const page = resolve('docs/workflow-states.md');
const retry = { limit: 1, delaySeconds: 1, factor: 1, maxDelaySeconds: 1, exitCodes: [75], onTimeout: false };
const bootId = 'boot-1';
const reason = 'because';
const created = workflowCreated(
  [
    planned(actionSpec({ name: 'first', onFailure: ['x'] }), 0, { retry, destructive: true, onReboot: 'ask' }),
    planned(actionSpec({ name: 'second' }), 1, { approval: 'go on?' }),
  ],
  { globalTimeoutSeconds: 600 },
);
const permit = { index: 0, attempt: 1, workerId: hardwareId, bootId, nonce: 'n', disks: [], expiresAt: 'x' };
const asked: WorkflowEvent = { type: 'ActionApprovalRequested', v: 1, data: { index: 1, message: 'go on?' } };
const approved: WorkflowEvent = { type: 'ActionApproved', v: 1, data: { index: 1, reason } };
const taken: WorkflowEvent = { type: 'MachinesTaken', v: 2, data: { workerIds: [hardwareId, 'other'], index: 0 } };
const paused: WorkflowEvent = { type: 'WorkflowPaused', v: 1, data: { reason } };
const cancelling: WorkflowEvent = { type: 'WorkflowCancelRequested', v: 1, data: { reason } };
const unknown: WorkflowEvent = {
  type: 'ActionOutcomeUnknown',
  v: 1,
  data: { index: 0, attempt: 1, workerId: hardwareId, bootId: 'boot-2', seconds: 1, message: '' },
};
const first = [created, actionStarted(0), actionSucceeded(0), asked];
const second = [...first, approved, actionStarted(1)];

/** Two actions, one after the other: the first is destructive, tried again after exit code 75, and of unknown outcome after a reboot; the second needs approval. */
const states: Readonly<Record<string, readonly WorkflowEvent[]>> = {
  none: [],
  pending: [created],
  'pending, paused': [created, paused],
  'first handed out': [created, taken],
  'first handed out, paused': [created, taken, paused],
  'first handed out, cancelled': [created, taken, cancelling],
  'first running': [created, actionStarted(0)],
  'first running, permitted': [created, actionStarted(0), { type: 'ActionPermitGranted', v: 1, data: permit }],
  'first running, paused': [created, actionStarted(0), paused],
  'first running, cancelling': [created, actionStarted(0), cancelling],
  'first to be tried again': [created, actionStarted(0), actionAttemptFailed(0, { exitCode: 75 })],
  'first of unknown outcome': [created, actionStarted(0), unknown],
  'second awaiting approval': first,
  'second approved': [...first, approved],
  'second running': second,
  success: [...second, actionSucceeded(1)],
  'failed by the first': [created, actionStarted(0), actionFailed(0)],
  'failed by a rejection': [...first, { type: 'ActionRejected', v: 1, data: { index: 1, reason } }],
  'timeout of the first': [created, actionStarted(0), actionTimedOut(0)],
  'timeout of all': [created, actionStarted(0), workflowTimedOut(0)],
  'cancelled before it began': [created, cancelling],
  cancelled: [created, actionStarted(0), cancelling, actionCancelled(0)],
  deleted: [created, actionStarted(0), workflowDeleted()],
};

const report = { index: 0, attempt: 1, workerId: hardwareId };
const result = { ...report, seconds: 1, finishedAt: '2026-01-01T00:00:00.000Z', message: '' };
const fine = { outcome: 'succeeded', reason: null, exitCode: 0 } as const;
const late = { ...report, seconds: 9, message: '' };
const commands: Readonly<Record<string, WorkflowCommand>> = {
  create: { type: 'CreateWorkflow', ...created.data },
  'start first': { type: 'StartAction', ...report, bootId, startedAt: 'x' },
  'start first, 2nd try': { type: 'StartAction', ...report, attempt: 2, bootId, startedAt: 'x' },
  'start second': { type: 'StartAction', ...report, index: 1, bootId, startedAt: 'x' },
  'start first, other machine': { type: 'StartAction', ...report, workerId: 'other', bootId, startedAt: 'x' },
  'permit for first': { type: 'GrantPermit', ...permit },
  'permit for first, other nonce': { type: 'GrantPermit', ...permit, nonce: 'm' },
  'permit for first, other boot': { type: 'GrantPermit', ...permit, bootId: 'boot-2' },
  'permit for second': { type: 'GrantPermit', ...permit, index: 1 },
  'first succeeded': { type: 'FinishAction', ...result, ...fine },
  'first succeeded, other boot': { type: 'FinishAction', ...result, ...fine, bootId: 'boot-2' },
  'first failed with 75': { type: 'FinishAction', ...result, outcome: 'failed', reason: 'exit', exitCode: 75 },
  'first failed with 1': { type: 'FinishAction', ...result, outcome: 'failed', reason: 'exit', exitCode: 1 },
  'first timed out': { type: 'FinishAction', ...result, outcome: 'timed-out', reason: null, exitCode: null },
  'first stopped': { type: 'FinishAction', ...result, outcome: 'cancelled', reason: null, exitCode: null },
  'second succeeded': { type: 'FinishAction', ...result, ...fine, index: 1 },
  'on-failure of first done': {
    type: 'FinishHandler',
    ...{ ...report, handler: 'on-failure', exitCode: 0, seconds: 1, message: '' },
  },
  'machine of first restarted': { type: 'AbandonAction', ...result, bootId: 'boot-2' },
  'deadline of first': { type: 'ExpireAction', ...late },
  'deadline of stopping first': { type: 'ExpireCancel', ...late },
  'deadline of the workflow': { type: 'ExpireWorkflow' },
  'take its machines': { type: 'TakeMachines', index: 0 },
  'machine is late': {
    type: 'RecordDelay',
    cause: 'machine-never-booted',
    workerId: hardwareId,
    afterSeconds: 9,
    message: '',
  },
  'data of first': { type: 'PutData', workerId: hardwareId, index: 0, sha256: 'a'.repeat(64), size: 2 },
  'data of a person': { type: 'PutData', workerId: null, index: null, sha256: 'a'.repeat(64), size: 2 },
  cancel: { type: 'CancelWorkflow', reason },
  pause: { type: 'PauseWorkflow', reason },
  resume: { type: 'ResumeWorkflow', reason },
  'approve second': { type: 'ApproveAction', index: 1, reason },
  'reject second': { type: 'RejectAction', index: 1, reason },
  'skip first': { type: 'SkipAction', index: 0, reason },
  'skip second': { type: 'SkipAction', index: 1, reason },
  'resolve first as done': { type: 'ResolveOutcome', index: 0, as: 'succeeded', reason },
  'resolve first as failed': { type: 'ResolveOutcome', index: 0, as: 'failed', reason },
  'run first again': { type: 'ResolveOutcome', index: 0, as: 'restart', reason },
  delete: { type: 'DeleteWorkflow' },
};

interface Row {
  readonly state: string;
  readonly command: string;
  readonly outcome: string;
  readonly then: string;
}

function transition(state: string, command: string): Row {
  const before = fold(workflowDecider, states[state] ?? []);
  try {
    const events = workflowDecider.decide(commands[command] ?? { type: 'DeleteWorkflow' }, before);
    const after = events.reduce(workflowDecider.evolve, before);
    return { state, command, outcome: events.map(({ type }) => type).join(', ') || 'nothing', then: shown(after) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { state, command, outcome: `refused: ${error.code}`, then: shown(before) };
  }
}

function shown(state: ReturnType<typeof workflowDecider.evolve>): string {
  if (state.status === 'none') return 'none';
  const flags = [state.paused && 'paused', state.cancelling && 'cancelling', state.deleted && 'deleted'].filter(
    Boolean,
  );
  return [state.status, ...flags, `(${state.actions.map(({ status }) => status).join(', ')})`].join(' ');
}

const rows = Object.keys(states).flatMap((state) => Object.keys(commands).map((command) => transition(state, command)));
const lines = rows.map(({ state, command, outcome, then }) => `| ${state} | ${command} | ${outcome} | ${then} |`);
const [begin, end] = ['<!-- transitions -->', '<!-- /transitions -->'];
const head = ['| state | what comes | becomes | then (first, second) |', '| --- | --- | --- | --- |'];

/** Prettier pads the cells of a table. */
const plain = (line: string) => line.replace(/ *\| */g, ' | ').trim();

describe('docs/workflow-states.md', () => {
  it('is written anew on request, and fails that run so that nobody leaves it on', () => {
    if (!process.env.UPDATE_FIXTURES) return;
    const text = readFileSync(page, 'utf8');
    const table = ['', ...head, ...lines, ''].join('\n');
    writeFileSync(
      page,
      text.slice(0, text.indexOf(begin) + begin.length) + '\n' + table + '\n' + text.slice(text.indexOf(end)),
    );
    expect.fail('the table of transitions is written; format it and run again without UPDATE_FIXTURES');
  });

  const text = readFileSync(page, 'utf8');
  const documented = text
    .slice(text.indexOf(begin), text.indexOf(end))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map(plain);
  it('has every transition', () => {
    expect(documented).toHaveLength(rows.length);
    expect(rows.length).toBeGreaterThan(200);
  });
  it.each(rows.map((row, i) => ({ ...row, i })))('$state, $command: $outcome', ({ i }) =>
    expect(documented[i]).toBe(plain(lines[i] ?? '')),
  );
});

describe('whatever comes', () => {
  it.each(rows.filter(({ state }) => state !== 'none'))(
    '$state stays what it is for ever after $command',
    ({ state, command }) => {
      const before = fold(workflowDecider, states[state] ?? []);
      const wanted = commands[command];
      if (before.status === 'none' || !isTerminal(before.status) || !wanted) return;
      let events: readonly WorkflowEvent[] = [];
      try {
        events = workflowDecider.decide(wanted, before);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
      }
      expect(events.reduce(workflowDecider.evolve, before)).toMatchObject({
        status: before.status,
        actions: before.actions.map(({ status }) => ({ status })),
      });
    },
  );
  it('an end is recorded with what brings it about, and never again', () => {
    for (const { outcome, state } of rows) {
      const before = fold(workflowDecider, states[state] ?? []);
      if (before.status !== 'none' && isTerminal(before.status)) expect(outcome).not.toContain('WorkflowFinished');
    }
    const ends = rows.filter(({ outcome }) => outcome.includes('WorkflowFinished'));
    expect(ends.every(({ then }) => /^(success|failed|timeout|cancelled)/.test(then))).toBe(true);
    expect(new Set(ends.map(({ then }) => then.split(' ')[0]))).toEqual(
      new Set(['success', 'failed', 'timeout', 'cancelled']),
    );
  });
});
