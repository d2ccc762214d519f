import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machine, templateYaml } from '../testing/fixtures';
import { Harness, type GrpcClient } from '../testing/harness';

interface Context {
  readonly workflow_id: string;
  readonly current_action: string;
  readonly current_action_index: number;
  readonly current_action_state: string;
}
interface Action {
  readonly task_name: string;
  readonly name: string;
  readonly worker_id: string;
}

let harness: Harness;
let workflows: GrpcClient;
beforeAll(async () => {
  harness = await Harness.start({ TINK_COMPAT_WORKER_GRPC: 'on' });
  workflows = harness.grpc('workflow');
  for (const n of [1, 2]) await harness.rest().post('/api/hardware', machine(n));
});
afterAll(() => harness?.close());

async function create(name: string): Promise<string> {
  const data = templateYaml([{ actions: [{}, {}] }, { device: 'device_2', actions: [{}] }]);
  await harness.rest().post('/api/templates', { name, data });
  const hardware = { device_1: machine(1).mac, device_2: machine(2).mac };
  return (await harness.rest().post<{ id: string }>('/api/workflows', { template: name, hardware })).body.id;
}
const contexts = (n: number) => workflows.all<Context>('GetWorkflowContexts', { worker_id: machine(n).id });
const report = (workflow_id: string, { task_name, name, worker_id }: Action, action_status: string) =>
  workflows.call('ReportActionStatus', {
    workflow_id,
    task_name,
    action_name: name,
    worker_id,
    action_status,
    seconds: 1,
  });

describe('a worker of the originals', () => {
  it('is served from its first action to its last, across a hand-over', async () => {
    const id = await create('whole');
    const { action_list } = await workflows.call<{ action_list: Action[] }>('GetWorkflowActions', { workflow_id: id });
    expect(action_list.map(({ name, worker_id }) => [name, worker_id])).toEqual([
      ['action-0', machine(1).id],
      ['action-1', machine(1).id],
      ['action-0', machine(2).id],
    ]);
    for (const [index, action] of action_list.entries()) {
      const n = action.worker_id === machine(1).id ? 1 : 2;
      // The originals served nobody after an index above 0, and the second worker never.
      expect(await contexts(n)).toMatchObject([{ workflow_id: id }]);
      expect(await contexts(n === 1 ? 2 : 1)).toEqual([]);
      await report(id, action, 'STATE_RUNNING');
      await report(id, action, 'STATE_RUNNING');
      expect((await contexts(n))[0]).toMatchObject({
        current_action_index: index,
        current_action_state: 'STATE_RUNNING',
      });
      await workflows.call('UpdateWorkflowData', {
        workflow_id: id,
        data: Buffer.from(`{"n":${index}}`),
        metadata: Buffer.from('{}'),
      });
      await report(id, action, 'STATE_SUCCESS');
      await report(id, action, 'STATE_SUCCESS');
    }
    expect(await workflows.call('GetWorkflow', { id })).toMatchObject({ state: 'STATE_SUCCESS' });
    expect(await workflows.call('GetWorkflowDataVersion', { workflow_id: id })).toMatchObject({ version: 3 });
    expect(await contexts(1)).toEqual([]);
    expect(await workflows.call('GetWorkflowContextList', { worker_id: machine(1).id })).toMatchObject({
      workflow_contexts: [{ current_action_index: 2, current_action_state: 'STATE_SUCCESS' }],
    });
  });

  it('obeys the rules of every other worker', async () => {
    const id = await create('rules');
    const [first, , third] = (
      await workflows.call<{ action_list: [Action, Action, Action] }>('GetWorkflowActions', { workflow_id: id })
    ).action_list;
    await expect(report(id, third, 'STATE_RUNNING')).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(report(id, { ...first, worker_id: machine(2).id }, 'STATE_RUNNING')).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    await report(id, first, 'STATE_RUNNING');
    await report(id, first, 'STATE_FAILED');
    await expect(report(id, first, 'STATE_SUCCESS')).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
    expect(await workflows.call('GetWorkflow', { id })).toMatchObject({ state: 'STATE_FAILED' });
    expect(await contexts(1)).toEqual([]);
    await expect(report('00000000-0000-4000-8000-000000000000', first, 'STATE_RUNNING')).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });
});
