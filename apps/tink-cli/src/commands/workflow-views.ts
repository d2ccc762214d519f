import type { ActionRow, ActionStatus, WorkflowStatus } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import type { Context } from '../cli-command';
import { timeText, toYaml, type Listing } from '../output/print';
import { colorOf } from '../output/screen';
import type { Column } from '../output/table';
import { took } from '../output/time';

/** States as the originals name them. */
const stateNames: Readonly<Record<WorkflowStatus | ActionStatus, string>> = {
  pending: 'STATE_PENDING',
  running: 'STATE_RUNNING',
  failed: 'STATE_FAILED',
  timeout: 'STATE_TIMEOUT',
  success: 'STATE_SUCCESS',
  cancelled: 'STATE_CANCELLED',
  skipped: 'STATE_SKIPPED',
  unknown: 'STATE_UNKNOWN',
  'awaiting-approval': 'STATE_AWAITING_APPROVAL',
};
export const stateName = (status: WorkflowStatus | ActionStatus) => stateNames[status];

/** `{"device_1":"08:00:27:00:00:01"}` */
const devices = (item: WorkflowItem) => JSON.stringify(item.devices);

export function workflowListing(
  context: Context,
  items: readonly WorkflowItem[],
  document: unknown,
): Listing<WorkflowItem> {
  const columns = (wide: boolean): readonly Column<WorkflowItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'Workflow ID', text: ({ id }) => id },
      { title: 'Template ID', text: ({ templateId }) => templateId, shrinksTo: 9, drops: 2 },
      { title: 'Hardware device', text: devices, shrinksTo: 15, drops: 3 },
      { title: 'State', text: ({ status }) => stateName(status), color: ({ status }) => colorOf(status) },
      { title: 'Created At', text: ({ createdAt }) => time(createdAt), drops: 1 },
      { title: 'Updated At', text: ({ updatedAt }) => time(updatedAt) },
      { title: 'Template Name', text: ({ templateName }) => templateName, wideOnly: true },
      { title: 'Actions', text: progress, wideOnly: true },
      { title: 'Waiting For', text: ({ waiting }) => waiting ?? '', wideOnly: true },
    ];
  };
  return { rows: items, columns, document };
}

/** `2/5`: actions that are done, of all. */
function progress({ actions }: WorkflowItem): string {
  return `${actions.filter(({ status }) => status === 'success').length}/${actions.length}`;
}

/** Where a workflow stands, as `tink workflow state` of the originals shows it: its last action that was started. */
export interface WorkflowStanding {
  readonly workflow_id: string;
  /** 0 to 100. */
  readonly progress: number;
  readonly current_task: string;
  readonly current_action: string;
  readonly current_worker: string;
  readonly current_action_state: string;
}

export function standing({ id, status, actions }: WorkflowItem): WorkflowStanding {
  const index = actions.findLastIndex((action) => action.status !== 'pending');
  const action = actions[index];
  const ended = status === 'failed' || status === 'timeout' || status === 'cancelled';
  const state = ended ? status : (action?.status ?? status);
  const done = actions.filter((each) => each.status === 'success').length;
  return {
    workflow_id: id,
    progress: actions.length === 0 ? 0 : Math.floor((done * 100) / actions.length),
    current_task: action?.spec.task ?? '',
    current_action: action?.spec.name ?? '',
    current_worker: action?.spec.workerId ?? '',
    current_action_state: stateName(state),
  };
}

/** One word or two on how long an action took, or has been running. */
export function actionTime({ status, seconds, startedAt }: ActionRow, now: number): string {
  if (seconds !== null) return took(seconds);
  return status === 'running' && startedAt !== null ? took(Math.max(0, (now - Date.parse(startedAt)) / 1000)) : '';
}

export function isEnded(status: WorkflowStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

/** The workflow as the template that would make it: what runs, whatever its template says today. */
export function workflowYaml(item: WorkflowItem): Promise<string> {
  const tasks: { name: string; worker: string; actions: unknown[] }[] = [];
  for (const { spec } of item.actions) {
    let task = tasks.at(-1);
    if (task?.name !== spec.task) tasks.push((task = { name: spec.task, worker: spec.workerId, actions: [] }));
    task.actions.push(actionDocument(spec));
  }
  const limit = item.globalTimeoutSeconds > 0 ? { global_timeout: item.globalTimeoutSeconds } : {};
  return toYaml({ version: '0.1', name: item.templateName, id: item.templateId, ...limit, tasks });
}

function actionDocument(spec: ActionRow['spec']): unknown {
  const { command, onTimeout, onFailure, volumes, pid } = spec;
  const environment = Object.fromEntries(spec.environment.map(splitPair));
  return {
    name: spec.name,
    image: spec.image,
    timeout: spec.timeoutSeconds,
    ...(command.length > 0 ? { command } : {}),
    ...(onTimeout.length > 0 ? { 'on-timeout': onTimeout } : {}),
    ...(onFailure.length > 0 ? { 'on-failure': onFailure } : {}),
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(spec.environment.length > 0 ? { environment } : {}),
    ...(pid === '' ? {} : { pid }),
  };
}

function splitPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}
