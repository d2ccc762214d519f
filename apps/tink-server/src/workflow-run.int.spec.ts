import type { Recorded } from '@tinkerbell/events';
import type { WorkflowRow } from '@tinkerbell/projections';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { machine, templateYaml, type TaskOptions } from './testing/fixtures';
import { Harness } from './testing/harness';
import type { Failure } from './testing/rest-client';
import type { SimulatedWorker } from './testing/simulated-worker';

type Workflow = WorkflowRow & { readonly waiting: string | null };

let harness: Harness;
let n = 0;
beforeAll(async () => {
  harness = await Harness.start({ TINK_ACTION_GRACE_SECONDS: 0 });
});
afterAll(() => harness?.close());

/** Fresh hardware, a template and a workflow on them. */
async function prepare(
  tasks: readonly TaskOptions[],
  { machines = 1, globalTimeout = 0 } = {},
): Promise<{ readonly id: string; readonly workers: readonly SimulatedWorker[] }> {
  const rest = harness.rest();
  const all = Array.from({ length: machines }, () => machine(++n));
  for (const hardware of all) expect((await rest.post('/api/hardware', hardware)).status).toBe(200);
  const template = await rest.post<{ id: string }>('/api/templates', {
    name: `t${n}`,
    data: templateYaml(tasks, globalTimeout),
  });
  expect(template).toMatchObject({ status: 201 });
  const devices = Object.fromEntries(all.map(({ mac }, i) => [`device_${i + 1}`, mac]));
  const created = await rest.post<{ id: string }>('/api/workflows', { template: template.body.id, hardware: devices });
  expect(created).toMatchObject({ status: 201 });
  const workers = await Promise.all(all.map(({ id }) => harness.worker(id)));
  return { id: created.body.id, workers };
}

const workflow = (id: string) => harness.latest<Workflow>(`/api/workflows/${id}`);

/** Follows the log until the workflow has this fact. */
async function fact(id: string, type: string, count = 1): Promise<Recorded> {
  let seen = 0;
  for await (const recorded of harness.rest().lines<Recorded>(`/api/events?follow=1&aggregate=workflow&id=${id}`)) {
    if (recorded.event.type === type && ++seen === count) return recorded;
  }
  throw new Error(`no ${type}`);
}
const types = async (id: string): Promise<readonly string[]> => {
  const { text } = await harness.rest().get(`/api/events?aggregate=workflow&id=${id}`);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as Recorded).event.type);
};

describe('a workflow', () => {
  it('runs to its end: assignment, output, data, results, and every client sees it', async () => {
    const { id, workers } = await prepare([{ actions: [{}, { command: ['a', 'b'], environment: { K: 'v' } }] }]);
    const [worker] = workers as [SimulatedWorker];
    expect(await workflow(id)).toMatchObject({ status: 'pending', waiting: expect.stringContaining('has not booted') });
    await worker.ready();

    const first = await worker.assigned();
    expect(first).toMatchObject({ workflowId: id, index: 0, attempt: 1, total: 2, dataVersion: 0 });
    await worker.started(first);
    await fact(id, 'ActionStarted');
    expect(await worker.state(first)).toEqual({ goOn: true, finished: false, reason: '' });
    await worker.log(first, 'hello');
    expect(await worker.putData(id, 0, '{"step":1}')).toEqual({ version: 1 });
    await worker.finished(first);
    expect(
      await worker.until(
        () => worker.state(first),
        ({ finished }) => finished,
      ),
    ).toMatchObject({ goOn: false });

    const second = await worker.assigned();
    expect(second).toMatchObject({ index: 1, attempt: 1, dataVersion: 1 });
    expect(second.action).toMatchObject({ command: ['a', 'b'], environment: ['K=v'], timeoutSeconds: 60 });
    expect(await worker.getData(id)).toEqual({ version: 1, data: '{"step":1}' });
    await worker.started(second);
    await worker.finished(second);
    await fact(id, 'ActionSucceeded', 2);

    const nothing = await worker.until(
      () => worker.next(),
      ({ reason }) => reason.includes('ended'),
    );
    expect(nothing.assignment).toBeNull();
    expect(await workflow(id)).toMatchObject({ status: 'success', current: 2, waiting: null });
    expect(await types(id)).toEqual([
      'WorkflowCreated',
      'ActionStarted',
      'WorkflowDataUpdated',
      'ActionSucceeded',
      'ActionStarted',
      'ActionSucceeded',
      'WorkflowFinished',
    ]);
    const logs = await harness.rest().get(`/api/workflows/${id}/logs?action=0`);
    expect(JSON.parse(logs.text)).toMatchObject({
      workflowId: id,
      index: 0,
      action: 'action-0',
      task: 'task-0',
      line: 'hello',
    });
    const grpc = harness.grpc('workflow');
    expect(await grpc.call('GetWorkflowContext', { id })).toMatchObject({
      current_action: 'action-1',
      current_action_index: 1,
      current_action_state: 'STATE_SUCCESS',
      total_number_of_actions: 2,
    });
    expect(await grpc.all('ShowWorkflowEvents', { id })).toHaveLength(4);
    expect(await grpc.call('GetWorkflowData', { workflow_id: id })).toEqual({
      data: Buffer.from('{"step":1}'),
      version: 1,
    });
  });

  it('shows its output as it is written, until there is no more to come', async () => {
    const { id, workers } = await prepare([{ actions: [{}] }]);
    const [worker] = workers as [SimulatedWorker];
    const first = await worker.assigned();
    await worker.started(first);
    await worker.log(first, 'one');
    const lines: string[] = [];
    for await (const { line } of harness.rest().lines<{ line: string }>(`/api/workflows/${id}/logs?follow=1`)) {
      lines.push(line);
      if (line === 'one') await worker.log(first, 'two');
      if (line === 'two') await worker.finished(first);
    }
    expect(lines).toEqual(['one', 'two']);
    expect(await workflow(id)).toMatchObject({ status: 'success' });
    // Another machine cannot put words into its mouth.
    const thief = (await prepare([{ actions: [{}] }])).workers[0] as SimulatedWorker;
    await thief.log(first, 'forged');
    expect((await harness.rest().get(`/api/workflows/${id}/logs`)).text).not.toContain('forged');
  });

  it('ends with the first action that fails, and takes its on-failure result after', async () => {
    const { id, workers } = await prepare([{ actions: [{ 'on-failure': ['x'] }, {}] }]);
    const [worker] = workers as [SimulatedWorker];
    const first = await worker.assigned();
    await worker.started(first);
    await worker.finished(first, { outcome: 'failed', reason: 'exit', exitCode: 17, message: 'boom' });
    await worker.handled(first, 'on-failure');
    await fact(id, 'ActionHandlerFinished');
    const row = await workflow(id);
    expect(row).toMatchObject({ status: 'failed', current: 0 });
    expect(row.actions[0]).toMatchObject({ status: 'failed', exitCode: 17, message: 'boom', handler: { exitCode: 0 } });
    expect((await worker.next()).assignment).toBeNull();
  });

  it('hands over between two workers', async () => {
    const { id, workers } = await prepare(
      [{ actions: [{}, {}] }, { device: 'device_2', actions: [{}] }, { actions: [{}] }],
      { machines: 2 },
    );
    const [one, two] = workers as [SimulatedWorker, SimulatedWorker];
    expect((await two.next()).reason).toContain(`waits for worker ${one.id}`);
    for (const worker of [one, one, two, one]) {
      const assignment = await worker.assigned();
      await worker.started(assignment);
      await worker.finished(assignment);
      await worker.until(
        () => worker.state(assignment),
        ({ finished }) => finished,
      );
    }
    expect(await workflow(id)).toMatchObject({ status: 'success', current: 4 });
  });

  it('times out on the server when its worker is silent, and wakes the worker to stop', async () => {
    const { id, workers } = await prepare([{ actions: [{ timeout: 1 }] }]);
    const [worker] = workers as [SimulatedWorker];
    const first = await worker.assigned();
    await worker.started(first);
    const stopped = await worker.until(
      () => worker.state(first),
      ({ goOn }) => !goOn,
    );
    expect(stopped).toEqual({ goOn: false, finished: true, reason: 'the workflow has ended: timeout' });
    expect((await fact(id, 'ActionTimedOut')).event.data).toMatchObject({ firedBy: 'server', index: 0 });
    // Too late: refused, and the state stays.
    await worker.finished(first);
    expect(await workflow(id)).toMatchObject({ status: 'timeout' });
  });

  it('times out as a whole', async () => {
    const { id, workers } = await prepare([{ actions: [{}, {}] }], { globalTimeout: 1 });
    const [worker] = workers as [SimulatedWorker];
    const first = await worker.assigned();
    await worker.started(first);
    await worker.until(
      () => worker.state(first),
      ({ goOn }) => !goOn,
    );
    expect((await fact(id, 'WorkflowTimedOut')).event.data).toEqual({ globalTimeoutSeconds: 1, index: 0 });
    expect((await worker.next()).assignment).toBeNull();
  });

  it('has an unknown outcome when its machine was started anew in an action', async () => {
    const { id, workers } = await prepare([{ actions: [{}, {}] }]);
    const [before] = workers as [SimulatedWorker];
    const first = await before.assigned();
    await before.started(first);
    await fact(id, 'ActionStarted');
    const again = await before.assigned();
    expect(again).toEqual(first);
    await before.close();
    const after = await harness.worker(before.id, 'boot-2');
    expect((await after.next()).assignment).toBeNull();
    expect((await workflow(id)).actions[0]).toMatchObject({ status: 'failed', reason: 'unknown-outcome' });
  });

  it('is not resumed after it was deleted', async () => {
    const { id, workers } = await prepare([{ actions: [{}] }]);
    const [worker] = workers as [SimulatedWorker];
    const first = await worker.assigned();
    await worker.started(first);
    await fact(id, 'ActionStarted');
    expect((await harness.rest().delete(`/api/workflows/${id}`)).status).toBe(200);
    expect(await worker.state(first)).toMatchObject({ goOn: false });
    expect((await worker.next()).assignment).toBeNull();
    expect((await harness.rest().get<Failure>(`/api/workflows/${id}`)).body.error.code).toBe('NOT_FOUND');
  });
});

describe('reports', () => {
  let before: string;
  const counted = async (kind: string, result: string): Promise<number> => {
    const { text } = await harness.rest().get('/metrics');
    const line = text
      .split('\n')
      .find((one) => one.startsWith(`tink_reports_total{kind="${kind}",result="${result}"}`));
    return Number(line?.split(' ')[1] ?? 0);
  };
  const reaches = async (kind: string, result: string, count: number): Promise<void> => {
    while ((await counted(kind, result)) < count) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  beforeEach(async () => {
    before = (await harness.rest().get('/healthz')).text;
    expect(before).toContain('"healthy":true');
  });

  it('that arrive twice are recorded once', async () => {
    const { id, workers } = await prepare([{ actions: [{}] }]);
    const [worker] = workers as [SimulatedWorker];
    const first = await worker.assigned();
    await worker.started(first);
    expect(await worker.started(first)).toMatchObject({ duplicate: true });
    // The same report under another message id gets past the broker's memory.
    const repeated = await counted('started', 'repeated');
    const { workflowId, index, attempt } = first;
    await worker.report('started', 'another', {
      workflowId,
      index,
      attempt,
      bootId: 'boot-1',
      startedAt: '2026-01-01T00:00:00Z',
    });
    await reaches('started', 'repeated', repeated + 1);
    await worker.finished(first);
    await fact(id, 'ActionSucceeded');
    expect(await types(id)).toEqual(['WorkflowCreated', 'ActionStarted', 'ActionSucceeded', 'WorkflowFinished']);
  });

  it('that overtake each other are put in order', async () => {
    const { id, workers } = await prepare([{ actions: [{ 'on-failure': ['x'] }] }]);
    const [worker] = workers as [SimulatedWorker];
    const first = await worker.assigned();
    await worker.handled(first, 'on-failure');
    await worker.finished(first, { outcome: 'failed', reason: 'exit', exitCode: 1 });
    await worker.started(first);
    await fact(id, 'ActionHandlerFinished');
    expect(await types(id)).toEqual([
      'WorkflowCreated',
      'ActionStarted',
      'ActionFailed',
      'WorkflowFinished',
      'ActionHandlerFinished',
    ]);
  });

  it('may be overtaken by data, which waits for the start of its action', async () => {
    const { id, workers } = await prepare([{ actions: [{}] }]);
    const [worker] = workers as [SimulatedWorker];
    const first = await worker.assigned();
    const put = worker.putData(id, 0, '{"early":true}');
    await worker.started(first);
    expect(await put).toEqual({ version: 1 });
    expect(await types(id)).toEqual(['WorkflowCreated', 'ActionStarted', 'WorkflowDataUpdated']);
    await worker.finished(first);
    await fact(id, 'ActionSucceeded');
  });

  it('of a foreign worker are refused, and it sees nothing of the workflow', async () => {
    const mine = await prepare([{ actions: [{}] }]);
    const other = await prepare([{ actions: [{}] }]);
    const [worker, thief] = [mine.workers[0], other.workers[0]] as [SimulatedWorker, SimulatedWorker];
    const first = await worker.assigned();
    const refused = await counted('started', 'refused');
    await thief.started(first);
    await reaches('started', 'refused', refused + 1);
    await expect(thief.state(first)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(thief.getData(mine.id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(thief.putData(mine.id, 0, '{}')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(thief.raw(`tink.rpc.wk.${worker.id}.next`, { bootId: 'x' })).rejects.toThrow();
    // It is recorded as what it is.
    expect(await types(mine.id)).toEqual(['WorkflowCreated', 'ReportRefused']);
    // Its own message ids do not use up the other's.
    await worker.started(first);
    await worker.finished(first);
  });

  it('that are malformed are counted and never come back', async () => {
    const { workers } = await prepare([{ actions: [{}] }]);
    const [worker] = workers as [SimulatedWorker];
    const bad: readonly (readonly ['started' | 'finished' | 'ready' | 'handler', object])[] = [
      ['started', {}],
      ['started', { workflowId: '*', index: 0, attempt: 1, bootId: 'b', startedAt: 'x' }],
      ['finished', { workflowId: 'a', index: -1 }],
      ['ready', { cpus: 'many' }],
      ['handler', []],
    ];
    for (const [i, [kind, body]] of bad.entries()) {
      const malformed = await counted(kind, 'malformed');
      await worker.report(kind, `bad-${worker.id}-${i}`, body);
      await reaches(kind, 'malformed', malformed + 1);
    }
    const first = await worker.assigned();
    await worker.started(first);
    await worker.finished(first);
    await fact(first.workflowId, 'ActionSucceeded');
  });

  it('and requests with wrong bodies are answered with what is wrong', async () => {
    const { id, workers } = await prepare([{ actions: [{}] }]);
    const [worker] = workers as [SimulatedWorker];
    const call = (name: string, body: object) =>
      worker.raw<{ err: { code: string; message: string } }>(`tink.rpc.wk.${worker.id}.${name}`, body);
    expect((await call('next', {})).err).toMatchObject({ code: 'INVALID', message: expect.stringContaining('bootId') });
    expect((await call('state', { workflowId: id, index: 'x', attempt: 1 })).err.message).toContain('index');
    expect((await call('data-put', { workflowId: id, index: 0, data: '[1]' })).err.message).toContain(
      'must be a JSON object',
    );
    expect((await call('data-get', { workflowId: 'none' })).err.code).toBe('NOT_FOUND');
    expect((await call('data-put', { workflowId: id, index: 0, data: '{}' })).err.code).toBe('NOT_YET');
  });
});
