import { status, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machine, templateYaml, type TaskOptions } from '../testing/fixtures';
import { Harness, type GrpcClient } from '../testing/harness';

interface Action {
  readonly workflow_id: string;
  readonly task_id: string;
  readonly agent_id: string;
  readonly action_id: string;
  readonly name: string;
  readonly timeout: number;
}
type Outcome = 'SUCCESS' | 'FAILED' | 'TIMEOUT';

let harness: Harness;
let agents: GrpcClient;
let workflows: GrpcClient;
beforeAll(async () => {
  harness = await Harness.start({ TINK_COMPAT_WORKER_GRPC: 'on' });
  [agents, workflows] = [harness.grpc('agent'), harness.grpc('workflow')];
  for (const n of [1, 2]) await harness.rest().post('/api/hardware', machine(n));
});
afterAll(() => harness?.close());

let made = 0;
async function create(tasks: readonly TaskOptions[]): Promise<string> {
  const name = `agent-${++made}`;
  await harness.rest().post('/api/templates', { name, data: templateYaml(tasks) });
  const hardware = { device_1: machine(1).mac, device_2: machine(2).mac };
  return (await harness.rest().post<{ id: string }>('/api/workflows', { template: name, hardware })).body.id;
}
const actions = (...names: readonly string[]) => names.map((name) => ({ name }));

const attributes = { cpu: { total_cores: 4, processors: [{ id: 1, vendor: 'x' }] }, block: [{ name: '/dev/sda' }] };
const next = (agent_id: string) =>
  agents.call<Action>('GetAction', { agent_id, agent_attributes: attributes }) as Promise<Action>;

/** What the agent makes of an action: before it runs it knows no times. */
function report(action: Action, action_state: string, over: object = {}): Promise<unknown> {
  const { workflow_id, agent_id, task_id, action_id, name } = action;
  const [start, stop] =
    action_state === 'RUNNING' ? [-62_135_596_800, -62_135_596_800] : [1_700_000_000, 1_700_000_003];
  return agents.call('ReportActionStatus', {
    ...{ workflow_id, agent_id, task_id, action_id, action_name: name, action_state },
    ...{ execution_start: { seconds: start, nanos: 0 }, execution_stop: { seconds: stop, nanos: 0 } },
    ...{ execution_duration: '3s', message: { message: `action ${action_state}` }, ...over },
  });
}

/** Today's agent without containers: ask, report the start, run, report the end, ask again; ends when there is nothing to do. */
async function run(
  agentId: string,
  container: (action: Action) => Outcome = () => 'SUCCESS',
): Promise<readonly string[]> {
  const ran: string[] = [];
  for (;;) {
    let action: Action;
    try {
      action = await next(agentId);
    } catch (error) {
      const { code } = error as ServiceError;
      if (code === status.NOT_FOUND || code === status.FAILED_PRECONDITION) return ran;
      throw error;
    }
    await report(action, 'RUNNING');
    ran.push(action.name);
    await report(action, container(action));
  }
}

const stateOf = async (id: string) => (await workflows.call<{ state: string }>('GetWorkflow', { id })).state;

describe("today's agent", () => {
  it('runs a workflow with another machine, by MAC address and by the id of the hardware', async () => {
    const id = await create([{ actions: actions('a', 'b') }, { device: 'device_2', actions: actions('c') }]);
    const [one, two] = [machine(1).mac.toUpperCase(), machine(2).id];
    await expect(next(two)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining(`waits for worker ${machine(1).id}`),
    });
    expect(await run(one)).toEqual(['a', 'b']);
    expect(await run(two)).toEqual(['c']);
    expect(await stateOf(id)).toBe('STATE_SUCCESS');
    const events = await workflows.all<{ seconds: number; message: string }>('ShowWorkflowEvents', { id });
    expect(events).toHaveLength(6);
    expect(events.at(-1)).toMatchObject({ seconds: 3, message: 'action SUCCESS', action_status: 'STATE_SUCCESS' });
  });

  it('is served what it reported as running again, under the same ids', async () => {
    const id = await create([{ actions: [{ name: 'a', timeout: 77, pid: 'host' }, { name: 'b' }] }]);
    const first = await next(machine(1).mac);
    expect(first).toMatchObject({
      ...{ workflow_id: id, task_id: 'task-0', agent_id: machine(1).mac, name: 'a', image: 'hello-world', timeout: 77 },
      ...{ pid: 'host', namespaces: { pid: 'host', network: '' } },
    });
    expect(await next(machine(1).mac)).toEqual(first);
    await report(first, 'RUNNING');
    expect(await next(machine(1).mac)).toEqual(first);
    await report(first, 'RUNNING');
    await report(first, 'SUCCESS');
    await report(first, 'SUCCESS');
    expect(await run(machine(1).mac)).toEqual(['b']);
    expect(await stateOf(id)).toBe('STATE_SUCCESS');
  });

  it.each([
    ['FAILED', 'STATE_FAILED'],
    ['TIMEOUT', 'STATE_TIMEOUT'],
  ] as const)('that reports %s ends the workflow, which a late success does not undo', async (outcome, wanted) => {
    const id = await create([{ actions: actions('a', 'b') }]);
    let last: Action | undefined;
    expect(
      await run(machine(1).mac, (action) => {
        last = action;
        return outcome;
      }),
    ).toEqual(['a']);
    if (!last) throw new Error('nothing was served');
    await expect(report(last, 'SUCCESS')).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
    expect(await stateOf(id)).toBe(wanted);
    await expect(next(machine(1).mac)).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringMatching(/^no Workflows found: .* ended/),
    });
  });

  it('obeys the rules of every other worker', async () => {
    const id = await create([{ actions: actions('a') }]);
    const action = await next(machine(1).id);
    const refused = (promise: Promise<unknown>, code: status) => expect(promise).rejects.toMatchObject({ code });
    await refused(report(action, 'SUCCESS'), status.FAILED_PRECONDITION);
    await refused(report({ ...action, agent_id: machine(2).mac }, 'RUNNING'), status.FAILED_PRECONDITION);
    await refused(report({ ...action, task_id: 'x' }, 'RUNNING'), status.INVALID_ARGUMENT);
    await refused(report({ ...action, action_id: `${id}.9.1` }, 'RUNNING'), status.INVALID_ARGUMENT);
    await refused(report({ ...action, action_id: `${id}.0.2` }, 'RUNNING'), status.INVALID_ARGUMENT);
    await refused(report(action, 'PENDING'), status.INVALID_ARGUMENT);
    await refused(report({ ...action, workflow_id: 'none', action_id: 'none.0.1' }, 'RUNNING'), status.NOT_FOUND);
    expect(await stateOf(id)).toBe('STATE_PENDING');
    await harness.rest().delete(`/api/workflows/${id}`);
  });

  it('does not take an action away from a worker that proved who it is', async () => {
    const id = await create([{ actions: actions('a') }]);
    const proven = await harness.worker(machine(1).id);
    await proven.started(await proven.assigned());
    await expect.poll(() => stateOf(id), { timeout: 60_000 }).toBe('STATE_RUNNING');
    await expect(next(machine(1).mac)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining('runs in another worker'),
    });
    expect(await stateOf(id)).toBe('STATE_RUNNING');
    await harness.rest().delete(`/api/workflows/${id}`);
  });

  it('is told what is wrong with its id', async () => {
    await expect(next('')).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, details: 'invalid Agent ID' });
    await expect(next('08:00:27:ff:ff:ff')).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringMatching(/^no Workflows found: no hardware 08:00:27:ff:ff:ff/),
    });
  });
});

describe('without leave', () => {
  it.each([
    [{}, 'TINK_COMPAT_WORKER_GRPC'],
    [
      { TINK_COMPAT_WORKER_GRPC: 'on', TINK_COMPAT_WORKER_NETWORKS: '10.0.0.0/8' },
      '127.0.0.1 (TINK_COMPAT_WORKER_NETWORKS)',
    ],
  ] as const)('%j: neither protocol is served', async (settings, text) => {
    const other = await Harness.start(settings);
    try {
      const refusal = { code: status.FAILED_PRECONDITION, details: expect.stringContaining(text) };
      const [agent, worker] = [other.grpc('agent'), other.grpc('workflow')];
      const action = { workflow_id: 'w', agent_id: 'x', action_id: 'w.0.1' };
      await expect(agent.call('GetAction', { agent_id: 'x' })).rejects.toMatchObject(refusal);
      await expect(agent.call('ReportActionStatus', action)).rejects.toMatchObject(refusal);
      await expect(worker.all('GetWorkflowContexts', { worker_id: 'x' })).rejects.toMatchObject(refusal);
      await expect(worker.call('UpdateWorkflowData', { workflow_id: 'x' })).rejects.toMatchObject(refusal);
    } finally {
      await other.close();
    }
  });
});
