import { InvalidError, type NextStep, type WorkflowCommand } from '@tinkerbell/domain';
import type { ActionSpec } from '@tinkerbell/events';
import { fromTimestamp, type Timestamp } from '../grpc/timestamp';
import { compatBootId } from './status-command';

/** An `ActionStatusRequest` as today's agent reports it. */
export interface AgentStatusMessage {
  readonly workflow_id: string;
  readonly agent_id: string;
  readonly task_id: string;
  readonly action_id: string;
  readonly action_name: string;
  readonly action_state: string;
  readonly execution_start: Timestamp | null;
  readonly execution_stop: Timestamp | null;
  /** As people write it, at most two units of it: `1m2s`. */
  readonly execution_duration: string;
  readonly message: { readonly message: string } | null;
}

/** An `ActionResponse`. */
export function actionResponse(assignment: Extract<NextStep, { kind: 'assignment' }>, agentId: string): object {
  const { workflowId, index, attempt, action } = assignment;
  return {
    workflow_id: workflowId,
    task_id: action.task,
    agent_id: agentId,
    action_id: actionId({ workflowId, index, attempt }),
    name: action.name,
    image: action.image,
    timeout: action.timeoutSeconds,
    command: action.command,
    volumes: action.volumes,
    environment: action.environment,
    pid: action.pid,
    namespaces: { network: '', pid: action.pid },
  };
}

export interface ActionRef {
  readonly workflowId: string;
  readonly index: number;
  readonly attempt: number;
}

/** The attempt is part of it: a report on an earlier one never counts for a later one. Legal in names of containers. */
export function actionId({ workflowId, index, attempt }: ActionRef): string {
  return `${workflowId}.${index}.${attempt}`;
}

/** Throws InvalidError when it was not made by `actionId` for this workflow. */
export function parseActionId(text: string, workflowId: string): ActionRef {
  const [, index, attempt] = /\.(\d{1,6})\.([1-9]\d{0,5})$/.exec(text) ?? [];
  const ref = { workflowId, index: Number(index), attempt: Number(attempt) };
  if (index === undefined || actionId(ref) !== text) {
    throw new InvalidError('action_id', `invalid action id: workflow ${workflowId} has no action ${text}`);
  }
  return ref;
}

/** The command that a report stands for. `now` (ISO 8601) stands in for times that the agent does not give. */
export function agentCommand(
  report: AgentStatusMessage,
  workerId: string,
  actions: readonly ActionSpec[],
  now: string,
): WorkflowCommand {
  const { index, attempt } = parseActionId(report.action_id, report.workflow_id);
  checkNames(report, actions[index]);
  const [start, stop] = [millisecondsOf(report.execution_start), millisecondsOf(report.execution_stop)];
  const iso = (at: number | undefined) => (at === undefined ? now : new Date(at).toISOString());
  const outcome = outcomeOf(report.action_state);
  if (outcome === 'running') {
    return { type: 'StartAction', index, attempt, workerId, bootId: compatBootId, startedAt: iso(start) };
  }
  const measured = start === undefined || stop === undefined ? undefined : (stop - start) / 1000;
  const seconds = Math.max(measured ?? secondsOf(report.execution_duration), 0);
  const message = report.message?.message ?? '';
  const failure =
    outcome === 'failed' ? ({ reason: 'exit', exitCode: null } as const) : { reason: null, exitCode: null };
  const finishedAt = iso(stop);
  return { type: 'FinishAction', index, attempt, workerId, seconds, finishedAt, now, message, outcome, ...failure };
}

function checkNames({ task_id, action_name, action_id }: AgentStatusMessage, spec: ActionSpec | undefined): void {
  if (!spec) throw new InvalidError('action_id', `invalid action id: there is no action ${action_id}`);
  if (task_id !== spec.task) {
    throw new InvalidError('task_id', `action ${action_id} is of task ${spec.task}, not ${JSON.stringify(task_id)}`);
  }
  if (action_name !== '' && action_name !== spec.name) {
    throw new InvalidError('action_name', `action ${action_id} is ${spec.name}, not ${JSON.stringify(action_name)}`);
  }
}

/** The agent sends Go's zero time, the year 1, for what it does not know yet. */
function millisecondsOf(time: Timestamp | null): number | undefined {
  return time !== null && Number(time.seconds) > 0 ? fromTimestamp(time) : undefined;
}

const unitSeconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 };

function secondsOf(duration: string): number {
  let seconds = 0;
  for (const [, amount, unit = ''] of duration.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)/g)) {
    seconds += Number(amount) * (unitSeconds[unit] ?? 0);
  }
  return seconds;
}

function outcomeOf(state: string): 'running' | 'succeeded' | 'failed' | 'timed-out' {
  if (state === 'RUNNING') return 'running';
  if (state === 'SUCCESS') return 'succeeded';
  if (state === 'FAILED') return 'failed';
  if (state === 'TIMEOUT') return 'timed-out';
  throw new InvalidError('action_state', `${state} cannot be reported`);
}
