import type { ActionSpec } from '@tinkerbell/events';
import {
  wireStates,
  workflowState,
  workflowTemplate,
  type WorkflowEventRow,
  type WorkflowRow,
} from '@tinkerbell/projections';
import { stringify } from 'yaml';
import { toTimestamp } from '../grpc/timestamp';

/** As a `Workflow` message. `hardware` is the devices' JSON as it was given. */
export function workflowMessage(row: WorkflowRow, withData: boolean): unknown {
  return {
    id: row.id,
    template: row.templateId,
    hardware: JSON.stringify(row.devices),
    state: wireStates[row.status],
    created_at: toTimestamp(row.createdAt),
    updated_at: toTimestamp(row.updatedAt),
    deleted_at: toTimestamp(row.deletedAt),
    data: withData ? workflowYaml(row) : '',
  };
}

/** As the originals' gateway writes it: the message with times as RFC 3339. */
export function workflowJson(row: WorkflowRow, withData: boolean): unknown {
  return {
    id: row.id,
    template: row.templateId,
    hardware: JSON.stringify(row.devices),
    state: wireStates[row.status],
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    ...(withData ? { data: workflowYaml(row) } : {}),
  };
}

/** The originals' view of where a workflow stands: its last action that was started, and how that one is. */
export function contextMessage(row: WorkflowRow): object {
  const view = workflowState(row);
  return {
    workflow_id: view.workflowId,
    current_worker: view.currentWorker,
    current_task: view.currentTask,
    current_action: view.currentAction,
    current_action_index: view.currentActionIndex,
    current_action_state: wireStates[view.currentActionState],
    total_number_of_actions: view.totalNumberOfActions,
  };
}

/** proto3 JSON writes 64-bit numbers as strings. */
export function contextJson(row: WorkflowRow): unknown {
  const { currentActionIndex, totalNumberOfActions } = workflowState(row);
  return {
    ...contextMessage(row),
    current_action_index: String(currentActionIndex),
    total_number_of_actions: String(totalNumberOfActions),
  };
}

export function eventJson(workflowId: string, event: WorkflowEventRow): unknown {
  return {
    ...actionStatusMessage(workflowId, event),
    seconds: String(Math.round(event.seconds)),
    created_at: event.at,
  };
}

export function actionStatusMessage(workflowId: string, event: WorkflowEventRow): object {
  return {
    workflow_id: workflowId,
    task_name: event.task,
    action_name: event.action,
    action_status: wireStates[event.status],
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

/** Clients of the originals read a template 0.1: what that cannot say is a comment before it. */
function workflowYaml(row: WorkflowRow): string {
  const { comment, document } = workflowTemplate(row);
  return [...comment, stringify(document)].join('\n');
}
