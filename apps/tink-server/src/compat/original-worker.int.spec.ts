import { createHash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { machine, templateYaml, type TaskOptions } from '../testing/fixtures';
import { Harness, type GrpcClient } from '../testing/harness';
import { KilledError, OriginalWorker, type RunContainer } from '../testing/original-worker';

let harness: Harness;
let workflows: GrpcClient;
beforeAll(async () => {
  harness = await Harness.start({ TINK_COMPAT_WORKER_GRPC: 'on' });
  workflows = harness.grpc('workflow');
  for (const n of [1, 2]) await harness.rest().post('/api/hardware', machine(n));
});
afterAll(() => harness?.close());

const running: OriginalWorker[] = [];
afterEach(() => running.splice(0).forEach((worker) => worker.stop()));

let made = 0;
async function create(tasks: readonly TaskOptions[]): Promise<string> {
  const name = `original-${++made}`;
  await harness.rest().post('/api/templates', { name, data: templateYaml(tasks) });
  const hardware = { device_1: machine(1).mac, device_2: machine(2).mac };
  return (await harness.rest().post<{ id: string }>('/api/workflows', { template: name, hardware })).body.id;
}

async function worker(n: number, container: RunContainer): Promise<OriginalWorker> {
  const { http, grpc } = harness.server;
  const site = { certUrl: `http://127.0.0.1:${http.port}/cert`, grpcAuthority: `127.0.0.1:${grpc.port}` };
  const one = await OriginalWorker.connect(machine(n).id, site, container);
  running.push(one);
  return one;
}

const succeeds: RunContainer = () => 'STATE_SUCCESS';
const actions = (...names: readonly string[]) => names.map((name) => ({ name }));
const stateOf = async (id: string) => (await workflows.call<{ state: string }>('GetWorkflow', { id })).state;
const eventsOf = async (id: string) =>
  (
    await workflows.all<{ action_name: string; action_status: string; worker_id: string }>('ShowWorkflowEvents', { id })
  ).map(({ action_name, action_status }) => `${action_name} ${action_status.replace('STATE_', '')}`);

/** Runs a worker until the workflow has ended. */
async function until(id: string, wanted: string, ...workers: readonly OriginalWorker[]): Promise<readonly string[]> {
  const runs = workers.map((one) => one.run());
  await expect.poll(() => stateOf(id), { timeout: 60_000 }).toBe(wanted);
  workers.forEach((one) => one.stop());
  return Promise.all(runs);
}

describe('the worker of v0.6', () => {
  it('runs a workflow over TLS with the certificate from /cert, and hands its data on', async () => {
    const id = await create([{ actions: actions('one', 'two', 'three') }]);
    const seen: string[] = [];
    const one = await worker(1, ({ name }, _, data) => {
      seen.push(data.text);
      if (name !== 'three') data.text = JSON.stringify({ last: name });
      return 'STATE_SUCCESS';
    });
    expect(await until(id, 'STATE_SUCCESS', one)).toEqual(['stopped']);
    expect(one.ran).toEqual(['one', 'two', 'three']);
    expect(seen).toEqual(['{}', '{"last":"one"}', '{"last":"two"}']);
    expect(await eventsOf(id)).toEqual([
      ...['one RUNNING', 'one SUCCESS', 'two RUNNING', 'two SUCCESS', 'three RUNNING', 'three SUCCESS'],
    ]);

    expect(await workflows.call('GetWorkflowDataVersion', { workflow_id: id })).toMatchObject({ version: 2 });
    for (const [version, text] of [
      [0, seen[2]],
      [1, seen[1]],
      [2, seen[2]],
    ] as const) {
      const { data } = await workflows.call<{ data: Buffer }>('GetWorkflowData', { workflow_id: id, version });
      expect(data.toString()).toBe(text);
    }
    const metadata = await workflows.call<{ data: Buffer }>('GetWorkflowMetadata', { workflow_id: id, version: 1 });
    expect(JSON.parse(metadata.data.toString())).toEqual({
      'worker-id': machine(1).id,
      'action-name': 'one',
      'task-name': 'task-0',
      'updated-at': expect.stringMatching(/^\d{4}-.*Z$/),
      sha256: createHash('sha256')
        .update(seen[1] ?? '')
        .digest('hex'),
    });
    await expect(workflows.call('GetWorkflowData', { workflow_id: id, version: 9 })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('takes turns with another machine, each serving several actions', async () => {
    const id = await create([
      { actions: actions('a', 'b') },
      { device: 'device_2', actions: actions('c', 'd') },
      { actions: actions('e') },
    ]);
    const [one, two] = [await worker(1, succeeds), await worker(2, succeeds)];
    expect(await until(id, 'STATE_SUCCESS', one, two)).toEqual(['stopped', 'stopped']);
    expect(one.ran).toEqual(['a', 'b', 'e']);
    expect(two.ran).toEqual(['c', 'd']);
  });

  it('ends after a failure, which a late success does not undo', async () => {
    const id = await create([{ actions: [{ name: 'bad', 'on-failure': ['clean', 'up'] }, { name: 'never' }] }]);
    const commands: (readonly string[])[] = [];
    const one = await worker(1, (_, command) => {
      commands.push(command);
      return 'STATE_FAILED';
    });
    expect(await until(id, 'STATE_FAILED', one)).toEqual(['ended after a failed action']);
    expect(commands).toEqual([[], ['clean', 'up']]);
    const late = { workflow_id: id, task_name: 'task-0', action_name: 'bad', action_status: 'STATE_SUCCESS' };
    await expect(workflows.call('ReportActionStatus', late)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
    expect(await stateOf(id)).toBe('STATE_FAILED');
    expect(await eventsOf(id)).toEqual(['bad RUNNING', 'bad FAILED']);
    expect(await workflows.all('GetWorkflowContexts', { worker_id: machine(1).id })).toEqual([]);
  });

  it('runs on-timeout after a timeout, not on-failure', async () => {
    const slow = { name: 'slow', 'on-timeout': ['too', 'slow'], 'on-failure': ['failed'] };
    const id = await create([{ actions: [slow] }]);
    const commands: (readonly string[])[] = [];
    const one = await worker(1, (_, command) => {
      commands.push(command);
      return 'STATE_TIMEOUT';
    });
    expect(await until(id, 'STATE_TIMEOUT', one)).toEqual(['ended after a failed action']);
    expect(commands).toEqual([[], ['too', 'slow']]);
  });

  it.each(['b', 'c'])('that dies in action %s is served it again and goes on to the end', async (fatal) => {
    const id = await create([{ actions: actions('a', 'b', 'c', 'd') }]);
    const first = await worker(1, ({ name }) => {
      if (name === fatal) throw new KilledError();
      return 'STATE_SUCCESS';
    });
    expect(await first.run()).toBe('killed');
    // It does not report the start of what follows the action that it resumed.
    const second = await worker(1, succeeds);
    expect(await until(id, 'STATE_SUCCESS', second)).toEqual(['stopped']);
    expect(second.ran).toEqual(fatal === 'b' ? ['b', 'c', 'd'] : ['c', 'd']);
    expect(await eventsOf(id)).toEqual(['a', 'b', 'c', 'd'].flatMap((name) => [`${name} RUNNING`, `${name} SUCCESS`]));
  });

  it('goes on where it was after the server was started anew', async () => {
    const id = await create([{ actions: actions('a', 'b', 'c') }]);
    const first = await worker(1, ({ name }) => {
      if (name === 'b') throw new KilledError();
      return 'STATE_SUCCESS';
    });
    expect(await first.run()).toBe('killed');
    await harness.restart();
    workflows = harness.grpc('workflow');
    const second = await worker(1, succeeds);
    await until(id, 'STATE_SUCCESS', second);
    expect(second.ran).toEqual(['b', 'c']);
  });

  it('that dies between two actions goes on with the next', async () => {
    const id = await create([{ actions: actions('a', 'b', 'c') }]);
    for (const action_name of ['a', 'b']) {
      for (const action_status of ['STATE_RUNNING', 'STATE_SUCCESS']) {
        const report = { workflow_id: id, task_name: 'task-0', action_name, action_status };
        await workflows.call('ReportActionStatus', report);
      }
    }
    const one = await worker(1, succeeds);
    await until(id, 'STATE_SUCCESS', one);
    expect(one.ran).toEqual(['c']);
  });
});

describe('its calls', () => {
  it('answer nothing to a worker that nobody knows, and end', async () => {
    expect(await workflows.all('GetWorkflowContexts', { worker_id: 'nobody' })).toEqual([]);
    await expect(workflows.all('GetWorkflowContexts', {})).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(workflows.call('GetWorkflowActions', { workflow_id: 'none' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it.each(['[1]', '"x"', 'x', ''])('refuse %j as data', async (text) => {
    const id = await create([{ actions: actions('a') }]);
    const request = { workflow_id: id, data: Buffer.from(text), metadata: Buffer.from('{}') };
    await expect(workflows.call('UpdateWorkflowData', request)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    await harness.rest().delete(`/api/workflows/${id}`);
  });
});
