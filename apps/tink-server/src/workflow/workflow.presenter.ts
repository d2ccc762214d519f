import type { ActionSpec } from '@tinkerbell/events';
import type { ActionRow, WorkflowEventRow, WorkflowRow, WorkflowStatus } from '@tinkerbell/projections';
import { stringify } from 'yaml';
import { toTimestamp } from '../grpc/timestamp';

export type StateName = 'STATE_PENDING' | 'STATE_RUNNING' | 'STATE_FAILED' | 'STATE_TIMEOUT' | 'STATE_SUCCESS';
const states: Readonly<Record<WorkflowStatus, StateName>> = {
  pending: 'STATE_PENDING',
  running: 'STATE_RUNNING',
  failed: 'STATE_FAILED',
  timeout: 'STATE_TIMEOUT',
  success: 'STATE_SUCCESS',
};

/** As a `Workflow` message. `hardware` is the devices' JSON as it was given. */
export function workflowMessage(row: WorkflowRow, withData: boolean): unknown {
  return {
    id: row.id,
    template: row.templateId,
    hardware: JSON.stringify(row.devices),
    state: states[row.status],
    created_at: toTimestamp(row.createdAt),
    updated_at: toTimestamp(row.updatedAt),
    deleted_at: toTimestamp(row.deletedAt),
    data: withData ? workflowYaml(row) : '',
  };
}

export interface WorkflowContext {
  readonly workflow_id: string;
  readonly current_worker: string;
  readonly current_task: string;
  readonly current_action: string;
  readonly current_action_index: number;
  readonly current_action_state: StateName;
  readonly total_number_of_actions: number;
}

/** The originals' view of where a workflow stands: its last action that was started, and how that one is. */
export function workflowContext(row: WorkflowRow): WorkflowContext {
  const index = lastTouched(row);
  const action = index < 0 ? undefined : row.actions[index];
  return {
    workflow_id: row.id,
    current_worker: action?.spec.workerId ?? '',
    current_task: action?.spec.task ?? '',
    current_action: action?.spec.name ?? '',
    current_action_index: Math.max(index, 0),
    current_action_state: states[actionState(row, action)],
    total_number_of_actions: row.actions.length,
  };
}

/** Percentage of the work that is done, as `tink workflow state` shows it. */
export function progressPercent({
  current_action_index,
  current_action_state,
  total_number_of_actions,
}: WorkflowContext) {
  if (total_number_of_actions === 0) return 0;
  const done = current_action_state === 'STATE_SUCCESS' ? current_action_index + 1 : current_action_index;
  return Math.floor((done * 100) / total_number_of_actions);
}

export function actionStatusMessage(workflowId: string, event: WorkflowEventRow): unknown {
  return {
    workflow_id: workflowId,
    task_name: event.task,
    action_name: event.action,
    action_status: states[event.status],
    seconds: Math.round(event.seconds),
    message: event.message,
    created_at: toTimestamp(event.at),
    worker_id: event.workerId,
  };
}

export function actionMessage(spec: ActionSpec): unknown {
  return {
    task_name: spec.task,
    name: spec.name,
    image: spec.image,
    timeout: spec.timeoutSeconds,
    command: spec.command,
    on_timeout: spec.onTimeout,
    on_failure: spec.onFailure,
    worker_id: spec.workerId,
    volumes: spec.volumes,
    environment: spec.environment,
    pid: spec.pid,
  };
}

/** The workflow as the template that would make it: what runs, not what the template says today. */
export function workflowYaml(row: WorkflowRow): string {
  const tasks: { name: string; worker: string; actions: unknown[] }[] = [];
  for (const { spec } of row.actions) {
    let task = tasks.at(-1);
    if (task?.name !== spec.task) {
      task = { name: spec.task, worker: spec.workerId, actions: [] };
      tasks.push(task);
    }
    task.actions.push(actionDocument(spec));
  }
  const global = row.globalTimeoutSeconds > 0 ? { global_timeout: row.globalTimeoutSeconds } : {};
  return stringify({ version: '0.1', name: row.templateName, id: row.templateId, ...global, tasks });
}

function actionDocument(spec: ActionSpec): unknown {
  const environment = Object.fromEntries(spec.environment.map((pair) => splitPair(pair)));
  return {
    name: spec.name,
    image: spec.image,
    timeout: spec.timeoutSeconds,
    ...(spec.command.length > 0 ? { command: spec.command } : {}),
    ...(spec.onTimeout.length > 0 ? { 'on-timeout': spec.onTimeout } : {}),
    ...(spec.onFailure.length > 0 ? { 'on-failure': spec.onFailure } : {}),
    ...(spec.volumes.length > 0 ? { volumes: spec.volumes } : {}),
    ...(spec.environment.length > 0 ? { environment } : {}),
    ...(spec.pid === '' ? {} : { pid: spec.pid }),
  };
}

function splitPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

function lastTouched({ actions }: WorkflowRow): number {
  return actions.findLastIndex(({ status }) => status !== 'pending');
}

function actionState(row: WorkflowRow, action: ActionRow | undefined): WorkflowStatus {
  // The global timeout may pass between two actions: then no action has failed, but the workflow has.
  if (row.status === 'timeout' || row.status === 'failed') return row.status;
  return action?.status ?? row.status;
}
