import { randomUUID } from 'node:crypto';
import { workflowDecider } from '@tinkerbell/domain';
import type { ActionPlan, ActionSpec } from '@tinkerbell/events';
import { handle } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { graph } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { machine } from '../testing/fixtures';
import { Harness } from '../testing/harness';
import type { Failure } from '../testing/rest-client';
import type { SimulatedWorker } from '../testing/simulated-worker';
import type { WorkflowView } from './workflow-view';

let harness: Harness;
let n = 100;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness?.close());

type Actions = Readonly<Record<string, Partial<ActionPlan> & { readonly spec?: Partial<ActionSpec> }>>;

async function hardware(): Promise<string> {
  const each = machine(++n);
  expect((await harness.rest().post('/api/hardware', each)).status).toBe(200);
  return each.id;
}

/** A workflow of these actions on this machine, as a template would have made it. */
async function create(workerId: string, actions: Actions): Promise<string> {
  const id = randomUUID();
  const owned = Object.fromEntries(
    Object.entries(actions).map(([name, action]) => [name, { ...action, spec: { ...action.spec, workerId } }]),
  );
  const command = { type: 'CreateWorkflow', ...graph(owned).data } as const;
  const metadata = { id: randomUUID(), actor: 'test' };
  const { position } = await handle(harness.store, workflowDecider, subjects.stream('workflow', id), command, metadata);
  expect((await harness.rest().get(`/api/workflows/${id}?minSeq=${position}`)).status).toBe(200);
  return id;
}

const view = (id: string) => harness.latest<WorkflowView>(`/api/workflows/${id}`);
const becomes = (id: string, status: string) =>
  expect.poll(async () => (await view(id)).status, patiently).toBe(status);
const patiently = { timeout: 120_000, interval: 20 };
const post = (id: string, verb: string, body?: object) =>
  harness.rest().post<Failure & { id: string; changed: boolean }>(`/api/workflows/${id}/${verb}`, body);
const run = async (worker: SimulatedWorker, over: Parameters<SimulatedWorker['finished']>[1] = {}) => {
  const assignment = await worker.assigned();
  await worker.started(assignment);
  await worker.finished(assignment, over);
  await worker.until(
    () => worker.state(assignment),
    ({ finished }) => finished,
  );
  return assignment;
};

describe('a person', () => {
  it('cancels: the worker is told at once, confirms, and the workflow has ended', async () => {
    const workerId = await hardware();
    const worker = await harness.worker(workerId);
    const id = await create(workerId, { a: {}, b: { needs: [0] } });
    const first = await worker.assigned();
    await worker.started(first);
    await becomes(id, 'running');
    expect(await post(id, 'cancel', { reason: 'wrong machine' })).toMatchObject({
      status: 200,
      body: { changed: true },
    });
    expect(await post(id, 'cancel')).toMatchObject({ status: 200, body: { changed: false } });
    expect(await view(id)).toMatchObject({
      status: 'running',
      cancelling: true,
      waiting: expect.stringContaining('to stop'),
    });
    const told = await worker.until(
      () => worker.state(first),
      ({ goOn }) => !goOn,
    );
    expect(told).toMatchObject({ cancelled: true, finished: false });
    await worker.finished(first, { outcome: 'cancelled', exitCode: null, message: 'stopped after SIGTERM' });
    await becomes(id, 'cancelled');
    expect(await view(id)).toMatchObject({
      actions: [{ status: 'cancelled', message: 'stopped after SIGTERM' }, { status: 'pending' }],
    });
    expect((await post(id, 'pause')).body.error.code).toBe('ILLEGAL_TRANSITION');
    expect(await harness.grpc('workflow').call('GetWorkflow', { id })).toMatchObject({ state: 'STATE_FAILED' });
  });

  it('pauses and resumes', async () => {
    const workerId = await hardware();
    const worker = await harness.worker(workerId);
    const id = await create(workerId, { a: {}, b: { needs: [0] } });
    const first = await worker.assigned();
    await worker.started(first);
    expect((await post(id, 'pause', { reason: 'lunch' })).status).toBe(200);
    await worker.finished(first);
    await expect.poll(async () => (await view(id)).current, patiently).toBe(1);
    expect((await worker.next()).reason).toBe(`workflow ${id} is paused`);
    expect(await view(id)).toMatchObject({ paused: true, waiting: 'tink workflow resume: it is paused' });
    expect((await post(id, 'resume')).status).toBe(200);
    expect(await worker.assigned()).toMatchObject({ index: 1 });
  });

  it('approves, rejects and skips', async () => {
    const workerId = await hardware();
    const worker = await harness.worker(workerId);
    const actions = { a: {}, b: { needs: [0], approval: 'wipe it?' }, c: { needs: [1] } };
    const id = await create(workerId, actions);
    await run(worker);
    await expect.poll(async () => (await view(id)).waiting, patiently).toBe('the approval of t/b: wipe it?');
    expect((await worker.next()).assignment).toBeNull();
    expect((await post(id, 'actions/c/approve')).body.error).toMatchObject({ code: 'ILLEGAL_TRANSITION' });
    expect((await post(id, 'actions/none/approve')).status).toBe(404);
    expect((await post(id, 'actions/t%2Fb/approve', { reason: 'ticket 1' })).status).toBe(200);
    expect(await run(worker)).toMatchObject({ index: 1 });
    expect((await post(id, 'actions/2/skip')).body.error).toMatchObject({ code: 'INVALID', field: 'reason' });
    expect((await post(id, 'actions/2/skip', { reason: 'done by hand' })).status).toBe(200);
    await becomes(id, 'success');

    const refused = await create(workerId, actions);
    await run(worker);
    await expect.poll(async () => (await view(refused)).waiting, patiently).toContain('approval');
    expect((await post(refused, 'actions/b/reject', { reason: 'in use' })).status).toBe(200);
    await becomes(refused, 'failed');
    expect((await view(refused)).actions[1]).toMatchObject({ status: 'failed', message: 'rejected: in use' });
  });

  it('says what became of an action whose machine was started anew', async () => {
    const workerId = await hardware();
    const id = await create(workerId, { a: { onReboot: 'ask', destructive: true }, b: { needs: [0] } });
    const before = await harness.worker(workerId, 'boot-1');
    await before.started(await before.assigned());
    await becomes(id, 'running');
    const after = await harness.worker(workerId, 'boot-2');
    expect((await after.next()).reason).toBe(`workflow ${id} waits for a person to say what became of t/a`);
    await expect.poll(async () => (await view(id)).actions[0]?.status, patiently).toBe('unknown');
    expect((await view(id)).waiting).toContain('tink workflow resolve');
    expect((await post(id, 'actions/a/resolve', { as: 'maybe' })).body.error).toMatchObject({ field: 'as' });
    expect((await post(id, 'actions/a/resolve', { as: 'restart' })).status).toBe(200);
    expect(await after.assigned()).toMatchObject({ index: 0, attempt: 2, destructive: true });
  });

  it('makes a new workflow of one that failed, which goes on where it went wrong', async () => {
    const workerId = await hardware();
    const worker = await harness.worker(workerId);
    const use = { needs: [0], spec: { environment: ['DISK=${{ outputs["t/probe"].disk }}'] } };
    const id = await create(workerId, { probe: {}, use, end: { needs: [1] } });
    await run(worker, { outputs: { disk: '/dev/vda' } });
    await worker.putData(id, 0, '{"n":1}');
    await run(worker, { outcome: 'failed', reason: 'exit', exitCode: 3 });
    await becomes(id, 'failed');
    const again = await post(id, 'retry');
    expect(again.status).toBe(201);
    const repeated = await worker.assigned();
    expect(repeated).toMatchObject({
      ...{ workflowId: again.body.id, index: 1, attempt: 1, dataVersion: 1 },
      action: { environment: ['DISK=/dev/vda'] },
    });
    expect(await worker.getData(again.body.id)).toEqual({ version: 1, data: '{"n":1}' });
    expect(await view(again.body.id)).toMatchObject({
      origin: { workflowId: id, from: 1 },
      actions: [{ status: 'success', message: `done by workflow ${id}` }, {}, { status: 'pending' }],
    });
    expect((await view(id)).status).toBe('failed');
    expect((await post(again.body.id, 'retry')).body.error.code).toBe('ILLEGAL_TRANSITION');
    expect((await post(again.body.id, 'cancel')).status).toBe(200);
    const whole = await post(id, 'clone');
    expect((await view(whole.body.id)).actions.map(({ status }) => status)).toEqual(['pending', 'pending', 'pending']);
    const last = await post(id, 'retry', { from: 'end' });
    expect((await view(last.body.id)).actions.map(({ status }) => status)).toEqual(['success', 'pending', 'pending']);
  });
});

describe('the server', () => {
  it('says where a workflow stands in the queue of its machine', async () => {
    const workerId = await hardware();
    const worker = await harness.worker(workerId);
    const ids = [
      await create(workerId, { a: {} }),
      await create(workerId, { a: {} }),
      await create(workerId, { a: {} }),
    ];
    const first = await worker.assigned();
    await worker.started(first);
    await becomes(ids[0] ?? '', 'running');
    expect(await view(ids[0] ?? '')).toMatchObject({ queue: null, waiting: null });
    expect(await view(ids[2] ?? '')).toMatchObject({
      queue: { workerId, behind: ids[0], position: 3 },
      waiting: `workflow ${ids[0]} on machine ${workerId}, position 3 in its queue`,
    });
    await worker.finished(first);
    await becomes(ids[0] ?? '', 'success');
    expect(await view(ids[2] ?? '')).toMatchObject({ queue: { behind: ids[1], position: 2 } });
  });

  it('gives one permit for an attempt, and never another', async () => {
    const workerId = await hardware();
    const worker = await harness.worker(workerId);
    const id = await create(workerId, { wipe: { destructive: true } });
    const first = await worker.assigned();
    const ask = (nonce: string, bootId = 'boot-1') =>
      worker.raw<{ response?: { expiresAt: string; seconds: number }; err?: { code: string } }>(
        `tink.rpc.wk.${workerId}.permit`,
        { workflowId: id, index: 0, attempt: 1, bootId, nonce, disks: ['S1'] },
        10_000,
      );
    expect((await ask('0123456789abcdef')).err?.code).toBe('NOT_YET');
    await worker.started(first);
    await becomes(id, 'running');
    const { response } = await ask('0123456789abcdef');
    expect(response?.seconds).toBeGreaterThan(0);
    expect((await ask('0123456789abcdef')).response?.expiresAt).toBe(response?.expiresAt);
    expect((await ask('fedcba9876543210')).err?.code).toBe('CONFLICT');
    expect((await ask('0123456789abcdef', 'boot-2')).err?.code).toBe('CONFLICT');
    expect((await ask('x')).err?.code).toBe('INVALID');
    const { text } = await harness.rest().get(`/api/events?aggregate=workflow&id=${id}`);
    expect(text.match(/"type":"ActionPermitGranted"/g)).toHaveLength(1);
  });

  it('counts the pause before another try by the clock of the log', async () => {
    const workerId = await hardware();
    const worker = await harness.worker(workerId);
    const retry = { limit: 1, delaySeconds: 3600, factor: 1, maxDelaySeconds: 3600, exitCodes: null, onTimeout: false };
    const id = await create(workerId, { pull: { retry } });
    const ahead = Date.now() + 7_200_000;
    vi.useFakeTimers({ toFake: ['Date'], now: ahead });
    try {
      await run(worker, { outcome: 'failed', reason: 'exit', exitCode: 75 });
      const [action] = (await view(id)).actions;
      expect(Date.parse(action?.retryAt ?? '')).toBeLessThan(ahead);
      expect((await worker.next()).assignment).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });

  it('tries again what the template wants tried again, and fences off another boot', async () => {
    const workerId = await hardware();
    const worker = await harness.worker(workerId);
    const retry = { limit: 1, delaySeconds: 0, factor: 1, maxDelaySeconds: 0, exitCodes: [75], onTimeout: false };
    const id = await create(workerId, { pull: { retry } });
    await run(worker, { outcome: 'failed', reason: 'exit', exitCode: 75 });
    const second = await worker.assigned();
    expect(second).toMatchObject({ attempt: 2 });
    await worker.started(second);
    await worker.finished(second, { bootId: 'another' });
    await expect.poll(async () => (await view(id)).refusedReports, patiently).toBe(1);
    expect((await view(id)).status).toBe('running');
    // Under another message id: the first one is used up.
    const body = { workflowId: id, index: 0, attempt: 2, outcome: 'succeeded', reason: null, exitCode: 0, seconds: 1 };
    await worker.report('finished', 'again', { ...body, finishedAt: '2026-01-01T00:00:00.000Z', message: '' });
    await becomes(id, 'success');
  });
});
