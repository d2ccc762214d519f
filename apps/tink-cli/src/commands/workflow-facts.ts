import type { ActionRow, ActionStatus, WorkflowStatus } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { took } from '../output/time';
import { shortNames } from '../story/action-names';

export function isEnded(status: WorkflowStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

/** A skipped action is done for those that need it. */
export function isDone({ status }: ActionRow): boolean {
  return status === 'success' || status === 'skipped';
}

/** How the actions in this state are called. */
export function namesIn({ actions }: Pick<WorkflowItem, 'actions'>, status: ActionStatus): readonly string[] {
  const names = shortNames(actions.map(({ spec }) => spec));
  return actions.flatMap((action, index) => (action.status === status ? [names[index] ?? ''] : []));
}

/** One word or two on how long an action took, or has been running. */
export function actionTime({ status, seconds, startedAt }: ActionRow, now: number): string {
  if (seconds !== null) return took(seconds);
  return status === 'running' && startedAt !== null ? took(Math.max(0, (now - Date.parse(startedAt)) / 1000)) : '';
}
