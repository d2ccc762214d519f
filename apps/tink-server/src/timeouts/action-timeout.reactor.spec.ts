import type { WorkflowRow } from '@tinkerbell/projections';
import {
  bootScriptServed,
  actionAttemptFailed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  hardwareId,
  machineMac,
  netbootOffered,
  planned,
  workerReady,
  workflowCreated,
} from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemory, type Memory } from '../testing/memory';
import { ActionTimeoutReactor } from './action-timeout.reactor';
import { nextDeadline } from './deadlines';

const patience = { action: 30, cancel: 20, boot: 0, worker: 0 };
const woken: string[] = [];
const wake = (workerId: string) => void woken.push(workerId);
const start = Date.parse('2026-01-01T00:00:00Z');
let clock = start;
let reports: readonly unknown[] = [];
let looks = 0;
const onTheirWay = async (workerId: string, kind: string) => {
  looks += 1;
  return workerId === hardwareId && kind === 'finished' ? reports : [];
};
let memory: Memory;
beforeEach(async () => {
  clock = start;
  reports = [];
  looks = 0;
  memory = await openMemory(() => new Date(clock));
});
afterEach(() => memory.close());

const row = (): WorkflowRow => {
  const found = memory.reads.workflows.get('wf');
  if (!found) throw new Error('no row');
  return found;
};

describe('nextDeadline', () => {
  it('is none before the first start and after the end', async () => {
    await memory.given('workflow', 'wf', workflowCreated(1, { globalTimeoutSeconds: 5 }));
    expect(nextDeadline(row(), patience, (id) => memory.reads.machines.get(id))).toBeUndefined();
    await memory.given('workflow', 'wf', actionStarted(0), actionSucceeded(0));
    expect(nextDeadline(row(), patience, (id) => memory.reads.machines.get(id))).toBeUndefined();
  });
  it('gives an action its timeout and the grace, from the clock of the log', async () => {
    await memory.given('workflow', 'wf', workflowCreated([actionSpec({ timeoutSeconds: 60 })]));
    clock += 10_000;
    await memory.given('workflow', 'wf', actionStarted(0, { startedAt: '1990-01-01T00:00:00.000Z' }));
    expect(nextDeadline(row(), patience, (id) => memory.reads.machines.get(id))).toEqual({
      kind: 'action',
      at: clock + 90_000,
      index: 0,
      attempt: 1,
      startedAt: clock,
    });
  });
  it('takes the global timeout when it is earlier, between two actions too', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2, { globalTimeoutSeconds: 70 }), actionStarted(0));
    expect(nextDeadline(row(), patience, (id) => memory.reads.machines.get(id))).toEqual({
      kind: 'workflow',
      at: clock + 70_000,
    });
    await memory.given('workflow', 'wf', actionSucceeded(0));
    expect(nextDeadline(row(), patience, (id) => memory.reads.machines.get(id))).toEqual({
      kind: 'workflow',
      at: start + 70_000,
    });
  });
});

describe('nextDeadline of an action that was handed out', () => {
  const taken = { type: 'MachinesTaken', v: 2, data: { workerIds: [hardwareId, 'other'], index: 1 } } as const;
  const deadline = () => nextDeadline(row(), patience, () => undefined);
  const specs = [10, 60].map((timeoutSeconds, i) => ({ ...planned(actionSpec({ timeoutSeconds }), 0), name: `a${i}` }));
  beforeEach(async () => {
    await memory.given('workflow', 'wf', workflowCreated(specs));
    clock += 1_000;
    await memory.given('workflow', 'wf', taken);
  });

  it('counts from then, until its start is in the log', async () => {
    expect(deadline()).toEqual({ kind: 'start', at: clock + 90_000, index: 1, attempt: 1, startedAt: clock });
    await memory.given('workflow', 'wf', actionStarted(1));
    expect(deadline()).toMatchObject({ kind: 'action', index: 1 });
  });
  it('begins again when a paused workflow is resumed', async () => {
    await memory.given('workflow', 'wf', { type: 'WorkflowPaused', v: 1, data: { reason: '' } });
    expect(deadline()).toBeUndefined();
    clock += 3_600_000;
    await memory.given('workflow', 'wf', { type: 'WorkflowResumed', v: 1, data: { reason: '' } });
    expect(deadline()).toMatchObject({ kind: 'start', at: clock + 90_000 });
  });
  it('is none where the log does not say which it was', async () => {
    await memory.given('workflow', 'old', workflowCreated(specs));
    await memory.given('workflow', 'old', { ...taken, data: { ...taken.data, index: null } });
    const old = memory.reads.workflows.get('old');
    expect(old && nextDeadline(old, patience, () => undefined)).toBeUndefined();
  });
});

describe('nextDeadline of what is late', () => {
  const all = { action: 30, cancel: 20, boot: 900, worker: 600 };
  const deadline = () => nextDeadline(row(), all, (id) => memory.reads.machines.get(id));

  it('tells that a machine never booted, then that its worker never showed up, then that it is silent', async () => {
    await memory.given('workflow', 'wf', workflowCreated(1));
    const late = { kind: 'delay', workerId: hardwareId } as const;
    expect(deadline()).toEqual({ ...late, cause: 'machine-never-booted', since: start, at: start + 900_000 });
    clock += 60_000;
    await memory.given('boot', machineMac, netbootOffered());
    expect(deadline()).toEqual({ ...late, cause: 'worker-never-showed-up', since: clock, at: clock + 600_000 });
    clock += 60_000;
    await memory.given('enrolment', hardwareId, workerReady());
    expect(deadline()).toEqual({ ...late, cause: 'worker-silent', since: clock, at: clock + 600_000 });
    const data = { cause: 'worker-silent', workerId: hardwareId, afterSeconds: 600, message: '' };
    await memory.given('workflow', 'wf', { type: 'WorkflowDelayed', v: 1, data });
    expect(deadline()).toBeUndefined();
  });
  it('tells of a machine that is in its own system that it has to boot first, from when the workflow was made', async () => {
    const told = bootScriptServed({ script: 'local', tokenHash: null, expiresAt: null });
    await memory.given('boot', machineMac, netbootOffered(), told);
    clock += 60_000;
    await memory.given('workflow', 'wf', workflowCreated(1));
    const late = { kind: 'delay', workerId: hardwareId, cause: 'machine-never-booted' } as const;
    expect(deadline()).toEqual({ ...late, since: clock, at: clock + 900_000 });
  });
  it('is not there for a workflow that is paused, or with a patience of 0', async () => {
    await memory.given('workflow', 'wf', workflowCreated(1));
    expect(nextDeadline(row(), patience, () => undefined)).toBeUndefined();
    await memory.given('workflow', 'wf', { type: 'WorkflowPaused', v: 1, data: { reason: '' } });
    expect(deadline()).toBeUndefined();
  });
  it('gives a worker time to stop what is cancelled', async () => {
    await memory.given('workflow', 'wf', workflowCreated(1), actionStarted(0));
    clock += 5_000;
    await memory.given('workflow', 'wf', { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } });
    expect(deadline()).toEqual({ kind: 'cancel', at: clock + 20_000, index: 0, attempt: 1, startedAt: start });
  });
  it('wakes the worker when the next try is due', async () => {
    const retryAt = new Date(start + 10_000).toISOString();
    await memory.given('workflow', 'wf', workflowCreated(1), actionStarted(0), actionAttemptFailed(0, { retryAt }));
    expect(deadline()).toEqual({ kind: 'retry', at: start + 10_000, index: 0, workerId: hardwareId });
    clock += 10_000;
    const options = { patience, wake, onTheirWay, now: () => clock };
    const reactor = new ActionTimeoutReactor(memory.store, memory.reads, options);
    await reactor.start();
    await expect.poll(() => woken).toContain(hardwareId);
    reactor.close();
  });
});

describe('action-timeout', () => {
  const options = { patience, wake, onTheirWay, now: () => clock };
  const reactor = () => new ActionTimeoutReactor(memory.store, memory.reads, options);

  async function ended(): Promise<WorkflowRow> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (row().status === 'timeout') resolve(row());
      };
      memory.reads.workflows.onChange(look);
      look();
    });
  }

  it('finds deadlines that passed while nobody looked', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    clock += 3_600_000;
    const late = reactor();
    await late.start();
    await ended();
    expect((await memory.eventsOf('workflow', 'wf')).at(-2)?.event).toEqual({
      type: 'ActionTimedOut',
      v: 1,
      data: {
        index: 0,
        attempt: 1,
        workerId: expect.any(String),
        seconds: 3600,
        firedBy: 'server',
        message: expect.stringContaining('30 s of grace'),
      },
    });
    late.close();
  });
  it('ends a workflow at its global timeout', async () => {
    // The deadline has passed by the reactor's clock when the start is seen.
    const late = new ActionTimeoutReactor(memory.store, memory.reads, {
      ...{ patience, wake, onTheirWay, now: () => clock + 10_000 },
    });
    await late.start();
    await memory.given('workflow', 'wf', workflowCreated(2, { globalTimeoutSeconds: 5 }));
    expect(late.armed).toBe(0);
    await memory.given('workflow', 'wf', actionStarted(0));
    await ended();
    expect((await memory.eventsOf('workflow', 'wf')).at(-2)?.event).toMatchObject({
      type: 'WorkflowTimedOut',
      data: { index: 0 },
    });
    late.close();
  });
  it('lets a result count that was reported in time and is not in the log yet, as after an outage', async () => {
    const done = { workflowId: 'wf', index: 0, attempt: 1, outcome: 'succeeded' };
    reports = [{ ...done, workflowId: 'other' }, null, done];
    await memory.given('workflow', 'wf', workflowCreated(1, { globalTimeoutSeconds: 50 }), actionStarted(0));
    await memory.given('workflow', 'long', workflowCreated(1), actionStarted(0));
    clock += 3_600_000;
    const late = reactor();
    await late.start();
    await expect.poll(() => memory.reads.workflows.get('long')?.status).toBe('timeout');
    await expect.poll(() => looks).toBeGreaterThanOrEqual(3);
    await memory.given('workflow', 'wf', actionSucceeded(0));
    const types = (await memory.eventsOf('workflow', 'wf')).map(({ event }) => event.type);
    expect(types).toEqual(['WorkflowCreated', 'ActionStarted', 'ActionSucceeded']);
    late.close();
  });
  it('ends what was reported and is refused by the log', async () => {
    reports = [{ workflowId: 'wf', index: 0, attempt: 1 }];
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    clock += 3_600_000;
    const late = reactor();
    await late.start();
    await expect.poll(() => looks).toBeGreaterThanOrEqual(1);
    reports = [];
    await expect.poll(() => row().status, { timeout: 60_000 }).toBe('timeout');
    late.close();
  });
  it('gives up waiting for a worker to confirm a cancellation', async () => {
    await memory.given('workflow', 'wf', workflowCreated(2), actionStarted(0));
    await memory.given('workflow', 'wf', { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } });
    clock += 20_000;
    const late = reactor();
    await late.start();
    await expect.poll(() => row().status).toBe('cancelled');
    expect((await memory.eventsOf('workflow', 'wf')).at(-2)?.event).toMatchObject({
      type: 'ActionCancelled',
      data: { confirmed: false, message: expect.stringContaining('within 20 s') },
    });
    late.close();
  });
  it('records once that a machine is late', async () => {
    await memory.given('workflow', 'wf', workflowCreated(1));
    clock += 900_000;
    const late = new ActionTimeoutReactor(memory.store, memory.reads, {
      ...{ patience: { ...patience, boot: 900 }, wake, onTheirWay, now: () => clock },
    });
    await late.start();
    await expect.poll(() => row().delays).toHaveLength(1);
    expect(row().delays[0]).toMatchObject({ cause: 'machine-never-booted', workerId: hardwareId });
    expect(late.armed).toBe(0);
    late.close();
  });
  it('does not call a workflow late that stands in a queue', async () => {
    await memory.given('workflow', 'first', workflowCreated(2), actionStarted(0));
    await memory.given('workflow', 'wf', workflowCreated(1));
    clock += 900_000;
    const late = new ActionTimeoutReactor(memory.store, memory.reads, {
      ...{ patience: { ...patience, action: 1e6, boot: 900 }, wake, onTheirWay, now: () => clock },
    });
    await late.start();
    await expect.poll(() => late.armed).toBe(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(row().delays).toEqual([]);
    late.close();
  });
  it('forgets the deadline of an action that ended', async () => {
    const calm = reactor();
    await calm.start();
    await memory.given('workflow', 'wf', workflowCreated(1), actionStarted(0));
    expect(calm.armed).toBe(1);
    await memory.given('workflow', 'wf', actionSucceeded(0));
    expect(calm.armed).toBe(0);
    calm.close();
  });
});
