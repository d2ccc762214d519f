import type { ActionStatus, WorkflowStatus } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import type { Context } from '../cli-command';
import { timeText, type Listing } from '../output/print';
import { colorOf } from '../output/screen';
import type { Column } from '../output/table';
import { isDone } from './workflow-facts';
import { notesOf } from './workflow-notes';

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
      { title: 'Notes', text: (item) => notesText(item, context.now()), wideOnly: true },
      { title: 'Outputs', text: outputsText, wideOnly: true },
    ];
  };
  return { rows: items, columns, document };
}

/** `2/5`: actions that are done, of all. */
function progress({ actions }: WorkflowItem): string {
  return `${actions.filter(isDone).length}/${actions.length}`;
}

function notesText(item: WorkflowItem, now: number): string {
  return notesOf(item, now)
    .filter(({ key }) => !key.startsWith('waiting'))
    .map(({ text }) => text)
    .join('; ');
}

/** `{"os/probe":{"disk":"/dev/vda"}}`; empty when no action gave any. */
function outputsText({ actions }: WorkflowItem): string {
  const given = actions.flatMap(({ spec, outputs }) =>
    Object.keys(outputs).length === 0 ? [] : [[spec.plan.id, outputs] as const],
  );
  return given.length === 0 ? '' : JSON.stringify(Object.fromEntries(given));
}

/** Where a workflow stands, as `tink workflow state` of the originals shows it: the action that runs, is to blame, or was the last. */
export interface WorkflowStanding {
  readonly workflow_id: string;
  /** 0 to 100. */
  readonly progress: number;
  readonly current_task: string;
  readonly current_action: string;
  readonly current_worker: string;
  readonly current_action_state: string;
}

export function standing({ id, status, actions, blame }: WorkflowItem): WorkflowStanding {
  const running = actions.find((each) => each.status === 'running');
  const toBlame = blame === null ? undefined : actions[blame];
  const action = running ?? toBlame ?? actions.findLast((each) => each.status !== 'pending');
  const ended = status === 'failed' || status === 'timeout' || status === 'cancelled';
  const state = ended ? status : (action?.status ?? status);
  const done = actions.filter(isDone).length;
  return {
    workflow_id: id,
    progress: actions.length === 0 ? 0 : Math.floor((done * 100) / actions.length),
    current_task: action?.spec.task ?? '',
    current_action: action?.spec.name ?? '',
    current_worker: action?.spec.workerId ?? '',
    current_action_state: stateName(state),
  };
}
