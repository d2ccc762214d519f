import { Metadata, status } from '@grpc/grpc-js';
import type { WorkflowEvent } from '@tinkerbell/events';
import { StoreUnavailableError } from '@tinkerbell/event-store';
import { actionSpec, actionStarted, actionSucceeded, workflowCreated } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcStatus } from '../grpc/grpc-error';
import { fixture } from '../testing/fixtures';
import { openMemory, type Memory } from '../testing/memory';
import { WorkerDesk } from '../workers/worker-desk';
import { AgentDesk } from './agent-desk';
import { AgentGrpcController } from './agent.grpc.controller';
import { CompatGate } from './compat-gate';
import { compatBootId } from './status-command';

interface Case {
  readonly name: string;
  readonly agent?: string | null;
  readonly workflow?: { readonly actions: readonly { readonly id: string; readonly state: string }[] };
  readonly serve?: string;
  readonly error?: string;
}
const { monorepo } = fixture<{ readonly monorepo: { readonly get_action: readonly Case[] } }>(
  'workflow-transitions.json',
);

const workerId = 'machine-mac-1';
const call = { getPeer: () => '127.0.0.1:1' };
let memory: Memory;
let controller: AgentGrpcController;
beforeEach(async () => {
  memory = await openMemory();
  const gate = new CompatGate({ enabled: true, allowed: () => true });
  controller = new AgentGrpcController(
    new AgentDesk(memory.store, memory.reads, new WorkerDesk(memory.store, memory.reads, async () => [])),
    gate,
  );
});
afterEach(() => memory.close());

const ask = (agent_id: string) => controller.action({ agent_id }, new Metadata(), call);
const codeOf = async (promise: Promise<unknown>) => grpcStatus(await promise.catch((error: unknown) => error))?.code;

/** The facts that lead to actions in these states. */
function history(actions: readonly { readonly id: string; readonly state: string }[]): readonly WorkflowEvent[] {
  const specs = actions.map(({ id }) => actionSpec({ name: id, workerId }));
  const reports = actions.flatMap(({ state }, index) => {
    const started = actionStarted(index, { workerId, bootId: compatBootId });
    if (state === 'PENDING') return [];
    return state === 'RUNNING' ? [started] : [started, actionSucceeded(index, { workerId })];
  });
  return [workflowCreated(specs), ...reports];
}

describe('GetAction, as the server of v0.25 answers it', () => {
  const served = monorepo.get_action.filter(({ serve }) => serve);
  it('has such cases', () => expect(served.length).toBeGreaterThanOrEqual(3));
  it.each(served)('$name: $serve', async ({ workflow, serve }) => {
    await memory.given('workflow', 'wf', ...history(workflow?.actions ?? []));
    expect(await ask(workerId)).toMatchObject({ name: serve, workflow_id: 'wf', agent_id: workerId });
  });
  // A workflow without actions has ended for us when it is made.
  it.each(monorepo.get_action.filter(({ error }) => error))('$name: $error', async ({ agent, workflow, error }) => {
    if (workflow) await memory.given('workflow', 'wf', ...history(workflow.actions));
    const wanted = error?.startsWith('NotFound') ? status.NOT_FOUND : status.INVALID_ARGUMENT;
    expect(await codeOf(ask(agent ?? ''))).toBe(wanted);
  });
});

it('a report that cannot be stored is worth sending again', async () => {
  await memory.given('workflow', 'wf', ...history([{ id: 'a', state: 'PENDING' }]));
  memory.store.append = () => Promise.reject(new StoreUnavailableError('disk full'));
  const report = {
    ...{ workflow_id: 'wf', agent_id: workerId, task_id: actionSpec().task, action_id: 'wf.0.1', action_name: 'a' },
    ...{ action_state: 'RUNNING', execution_start: null, execution_stop: null, execution_duration: '', message: null },
  };
  expect(await codeOf(controller.report(report, new Metadata(), call))).toBe(status.ABORTED);
});
