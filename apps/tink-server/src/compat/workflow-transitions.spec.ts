import { Metadata, status } from '@grpc/grpc-js';
import type { ActionSpec, WorkflowEvent } from '@tinkerbell/events';
import { StoreUnavailableError } from '@tinkerbell/event-store';
import { workflowState } from '@tinkerbell/projections';
import { actionFailed, actionSpec, actionStarted, actionSucceeded, workflowCreated } from '@tinkerbell/testing';
import { firstValueFrom, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcStatus } from '../grpc/grpc-error';
import { fixture } from '../testing/fixtures';
import { openMemory, type Memory } from '../testing/memory';
import { WorkerDesk } from '../workers/worker-desk';
import { WorkflowData } from '../workflow/workflow-data';
import { CompatGate } from './compat-gate';
import { CompatWorker } from './compat-worker';
import { CompatWorkerGrpcController } from './compat-worker.grpc.controller';
import { compatBootId } from './status-command';

interface Action {
  readonly worker: string;
  readonly task: string;
  readonly name: string;
  readonly image: string;
  readonly timeout: number;
}
interface Context {
  readonly state: string;
  readonly current_index: number;
  readonly current_action: string;
}
interface ReportCase {
  readonly name: string;
  readonly origin: string;
  readonly context?: Context;
  readonly actions?: readonly Action[];
  readonly report?: {
    readonly workflow?: string;
    readonly task: string;
    readonly action: string;
    readonly status?: string;
  };
  readonly expect: 'ok' | 'error';
  readonly message?: string;
  readonly after?: { readonly state: string; readonly index: number } | null;
  readonly grpc_code?: string | null;
}
interface ServeCase {
  readonly name: string;
  readonly context: Context;
  readonly actions: readonly Action[] | 'error' | null;
  readonly worker: string;
  readonly served: boolean;
}

/** The table's other part, `monorepo`, is about the agent's protocol: agent-desk.spec.ts. */
const { seed_2020: table } = fixture<{
  readonly seed_2020: {
    readonly report_action_status: readonly ReportCase[];
    readonly is_applicable_to_send: readonly ServeCase[];
    readonly progress_percent: readonly { total: number; current: number; state: string; want: number }[];
  };
}>('workflow-transitions.json');

const id = 'wf';
const call = { getPeer: () => '127.0.0.1:1' };
let memory: Memory;
let controller: CompatWorkerGrpcController;
beforeEach(async () => {
  memory = await openMemory();
  const data = new WorkflowData(memory.store, memory.reads, {
    put: () => Promise.resolve(),
    get: () => Promise.resolve(undefined),
  });
  const gate = new CompatGate({ enabled: true, allowed: () => true });
  controller = new CompatWorkerGrpcController(new CompatWorker(memory.store, memory.reads, data), gate, memory.reads);
});
afterEach(() => memory.close());

const specOf = ({ worker, task, name, image, timeout }: Action): ActionSpec =>
  actionSpec({ workerId: worker, task, name, image, timeoutSeconds: timeout });

/** The facts that lead to such a context. A PENDING one with an action that is set stands for that action being over. */
function history({ state, current_index: index, current_action: name }: Context, actions: readonly Action[]) {
  const workerId = actions[index]?.worker ?? '';
  const started = actionStarted(index, { workerId, bootId: compatBootId });
  const events: WorkflowEvent[] = [workflowCreated(actions.map(specOf))];
  if (state === 'RUNNING') events.push(started);
  if (state === 'FAILED') events.push(started, actionFailed(index, { workerId }));
  if (state === 'SUCCESS' || (state === 'PENDING' && name !== ''))
    events.push(started, actionSucceeded(index, { workerId }));
  return events;
}

const install = { worker: '20fd5833-118f-4115-bd7b-1cf94d0f5727', task: 't', name: 'a', image: 'i', timeout: 90 };

function send(report: NonNullable<ReportCase['report']>): Promise<object> {
  const message = {
    workflow_id: report.workflow ?? id,
    task_name: report.task,
    action_name: report.action,
    action_status: report.status === undefined ? '' : `STATE_${report.status}`,
    ...{ seconds: 1, message: '', worker_id: '' },
  };
  return controller.report(message, new Metadata(), call);
}

describe('reports, as the server of 2020 takes them', () => {
  // The seed's own defect: the second RUNNING of the last action runs over the end of the list. Ours is a no-op: status-command.spec.ts.
  const cases = table.report_action_status.filter(({ origin }) => !origin.startsWith('defect'));
  it('skips that one only', () => expect(cases).toHaveLength(table.report_action_status.length - 1));

  it.each(cases.filter(({ report }) => report))('$name: $expect', async (one) => {
    const { context, actions = [], report, after, message = '', grpc_code } = one;
    if (context) await memory.given('workflow', id, ...history(context, actions));
    const before = await memory.eventsOf('workflow', id);
    if (!report) throw new Error('no report');
    if (one.expect === 'ok') {
      await send(report);
      const row = memory.reads.workflow(id);
      expect(row.status.toUpperCase()).toBe(after?.state);
      expect(workflowState(row).currentActionIndex).toBe(after?.index);
      return;
    }
    const error: unknown = await send(report).catch((thrown: unknown) => thrown);
    const got = grpcStatus(error);
    expect(got?.code).toBe(grpc_code === 'InvalidArgument' ? status.INVALID_ARGUMENT : 'unknown to this spec');
    expect(got?.details).toContain(message);
    expect(await memory.eventsOf('workflow', id)).toEqual(before);
  });

  it.each(cases.filter(({ report }) => !report))('$name: $expect, Aborted', async ({ name }) => {
    await memory.given('workflow', id, workflowCreated([specOf(install)]));
    const part = name.includes('reading') ? 'read' : name.includes('inserting') ? 'append' : undefined;
    if (!part) throw new Error(`unknown case: ${name}`);
    memory.store[part] = () => Promise.reject(new StoreUnavailableError('disk full'));
    const error: unknown = await send({ task: 't', action: 'a', status: 'RUNNING' }).catch((thrown: unknown) => thrown);
    expect(grpcStatus(error)).toMatchObject({ code: status.ABORTED });
    expect(memory.reads.workflow(id).status).toBe('pending');
  });
});

describe('who is served, as the server of 2020 decides it', () => {
  it.each(table.is_applicable_to_send)('$name: $served', async ({ context, actions, worker, served }) => {
    const own = actions === 'error' || actions === null ? [{ ...install, worker }] : actions;
    await memory.given('workflow', id, ...history(context, own));
    if (actions === 'error') {
      // The list is made from the read model; what asks the log, and may fail, is a worker of ours.
      memory.store.read = () => Promise.reject(new StoreUnavailableError('disk full'));
      await expect(
        new WorkerDesk(memory.store, memory.reads, async () => []).next(worker, { bootId: 'boot' }),
      ).rejects.toThrow('disk full');
      return;
    }
    const list = await firstValueFrom(controller.contexts({ worker_id: worker }, new Metadata(), call).pipe(toArray()));
    expect(list).toHaveLength(served ? 1 : 0);
  });
});

describe('progress, as the command line of 2020 counts it', () => {
  it.each(table.progress_percent)('$current of $total, $state: $want %', async ({ total, current, state, want }) => {
    const actions = Array.from({ length: total }, (_, index) => ({ ...install, name: `a${index}` }));
    const workerId = install.worker;
    const done = actions
      .slice(0, current)
      .flatMap((_, index) => [actionStarted(index, { workerId }), actionSucceeded(index, { workerId })]);
    const last =
      state === 'SUCCESS' ? [actionStarted(current, { workerId }), actionSucceeded(current, { workerId })] : [];
    await memory.given('workflow', id, workflowCreated(actions.map(specOf)), ...done, ...last);
    expect(workflowState(memory.reads.workflow(id)).progressPercent).toBe(want);
  });
});
