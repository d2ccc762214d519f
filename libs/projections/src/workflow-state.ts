import type { ActionStatus, WorkflowRow } from './rows';

/** The numbers of the wire's `State`. */
export const stateNumbers = { pending: 0, running: 1, failed: 2, timeout: 3, success: 4 } as const;

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
  const last = actions.findLastIndex((action) => action.status !== 'pending');
  const index = Math.max(last, 0);
  const action = actions[last];
  // Between two actions the global timeout leaves no action behind that shows it.
  const state = status === 'timeout' ? 'timeout' : (action?.status ?? 'pending');
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
  if (total === 0 || (index === 0 && state !== 'success')) return 0;
  return Math.floor(((state === 'success' ? index + 1 : index) * 100) / total);
}
