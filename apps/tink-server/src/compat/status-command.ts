import { InvalidError, NotFoundError, type WorkflowCommand, type WorkflowState } from '@tinkerbell/domain';
import type { ActionSpec } from '@tinkerbell/events';
import { standingOf, type Standing } from './standing';

/** A `WorkflowActionStatus` message as a worker of the originals reports it. */
export interface ActionStatusMessage {
  readonly workflow_id: string;
  readonly task_name: string;
  readonly action_name: string;
  readonly action_status: string;
  readonly seconds: number;
  readonly message: string;
  readonly worker_id: string;
}

/** Those workers know no boots: an action of theirs belongs to the same one for ever. */
export const compatBootId = 'grpc';

/**
 * The command that such a report stands for. It names no index and no attempt: RUNNING means the action that is next, everything else
 * the one that runs, or the last one when none does, so that a repeated report does nothing.
 */
export function statusCommand(report: ActionStatusMessage, state: WorkflowState, now: string): WorkflowCommand {
  if (state.status === 'none') throw new NotFoundError('workflow', report.workflow_id);
  const standing = standingOf(state);
  const starts = report.action_status === 'STATE_RUNNING';
  const index = reportedIndex(standing, report, starts);
  const spec = standing.specs[index];
  if (spec?.task !== report.task_name) {
    throw new InvalidError('task_name', 'reported task name does not match the current action details');
  }
  if (spec.name !== report.action_name) {
    throw new InvalidError('action_name', 'reported action name does not match the current action details');
  }
  const started = standing.started(index);
  const workerId = report.worker_id === '' ? spec.workerId : report.worker_id;
  const attempt = starts && !standing.running.includes(index) ? started + 1 : Math.max(started, 1);
  if (starts) return { type: 'StartAction', index, attempt, workerId, bootId: compatBootId, startedAt: now };
  const { seconds, message } = report;
  const outcome = outcomeOf(report.action_status);
  const failure =
    outcome === 'failed' ? ({ reason: 'exit', exitCode: null } as const) : { reason: null, exitCode: null };
  return { type: 'FinishAction', index, attempt, workerId, seconds, finishedAt: now, message, outcome, ...failure };
}

/**
 * A worker that was started anew in the middle of an action forgets to report the start of the ones after it: their end is the first
 * that is heard of them. Whether such a start has to be recorded before this report.
 */
export function startIsMissing(report: ActionStatusMessage, state: WorkflowState): boolean {
  if (state.status === 'none' || !outcomes.has(report.action_status)) return false;
  const { next, specs } = standingOf(state);
  return next !== undefined && isNamed(specs[next], report);
}

function reportedIndex({ running, next, last, specs }: Standing, report: ActionStatusMessage, starts: boolean): number {
  const named = running.find((index) => isNamed(specs[index], report));
  if (named !== undefined) return named;
  return running[0] ?? (starts ? next : undefined) ?? last;
}

function isNamed(spec: ActionSpec | undefined, { task_name, action_name }: ActionStatusMessage): boolean {
  return spec?.task === task_name && spec.name === action_name;
}

const outcomes: ReadonlyMap<string, 'succeeded' | 'failed' | 'timed-out'> = new Map([
  ['STATE_SUCCESS', 'succeeded'],
  ['STATE_FAILED', 'failed'],
  ['STATE_TIMEOUT', 'timed-out'],
]);

function outcomeOf(status: string): 'succeeded' | 'failed' | 'timed-out' {
  const outcome = outcomes.get(status);
  if (outcome === undefined) throw new InvalidError('action_status', `${status} cannot be reported`);
  return outcome;
}
