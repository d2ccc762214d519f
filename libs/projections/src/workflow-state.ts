import type { ActionStatus, WorkflowRow, WorkflowStatus } from './rows';

/** The wire knows five states: pending 0, running 1, failed 2, timeout 3, success 4. */
export const wireStates: Readonly<Record<ActionStatus | WorkflowStatus, WireState>> = {
  pending: 'STATE_PENDING',
  'awaiting-approval': 'STATE_PENDING',
  running: 'STATE_RUNNING',
  unknown: 'STATE_RUNNING',
  failed: 'STATE_FAILED',
  cancelled: 'STATE_FAILED',
  timeout: 'STATE_TIMEOUT',
  success: 'STATE_SUCCESS',
  skipped: 'STATE_SUCCESS',
};
export type WireState = 'STATE_PENDING' | 'STATE_RUNNING' | 'STATE_FAILED' | 'STATE_TIMEOUT' | 'STATE_SUCCESS';

/** What `tink workflow state` and GetWorkflowContext show: the action that was reported on last, names empty before the first report. */
export interface WorkflowStateView {
  readonly workflowId: string;
  readonly currentWorker: string;
  readonly currentTask: string;
  readonly currentAction: string;
  readonly currentActionIndex: number;
  readonly currentActionState: ActionStatus;
  readonly totalNumberOfActions: number;
  /** 0 to 100. */
  readonly progressPercent: number;
}

export function workflowState(row: Pick<WorkflowRow, 'id' | 'actions' | 'status'>): WorkflowStateView {
  const { id, actions, status } = row;
  const last = actions.findLastIndex(({ status: each }) => each !== 'pending' && each !== 'awaiting-approval');
  const index = Math.max(last, 0);
  const action = actions[last];
  // Between two actions the global timeout or a cancellation leaves no action behind that shows it.
  const state = status === 'timeout' || status === 'cancelled' ? status : (action?.status ?? 'pending');
  return {
    workflowId: id,
    currentWorker: action?.spec.workerId ?? '',
    currentTask: action?.spec.task ?? '',
    currentAction: action?.spec.name ?? '',
    currentActionIndex: index,
    currentActionState: state,
    totalNumberOfActions: actions.length,
    progressPercent: progressPercent(actions.length, index, action?.status ?? 'pending'),
  };
}

/** Whole percent of the actions that succeeded, as the original counts. */
export function progressPercent(total: number, index: number, state: ActionStatus): number {
  const done = state === 'success' || state === 'skipped';
  if (total === 0 || (index === 0 && !done)) return 0;
  return Math.floor(((done ? index + 1 : index) * 100) / total);
}
