import type { ActionRow, WorkflowStatus } from '@tinkerbell/projections';
import { took } from '../output/time';

export function isEnded(status: WorkflowStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

/** A skipped action is done for those that need it. */
export function isDone({ status }: ActionRow): boolean {
  return status === 'success' || status === 'skipped';
}

/** One word or two on how long an action took, or has been running. */
export function actionTime({ status, seconds, startedAt }: ActionRow, now: number): string {
  if (seconds !== null) return took(seconds);
  return status === 'running' && startedAt !== null ? took(Math.max(0, (now - Date.parse(startedAt)) / 1000)) : '';
}
