import {
  InvalidError,
  NotFoundError,
  type ExistingWorkflow,
  type WorkflowCommand,
  type WorkflowState,
} from '@tinkerbell/domain';

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
  const starts = report.action_status === 'STATE_RUNNING';
  const index = reportedIndex(state, report, starts);
  const spec = state.created.actions[index];
  if (spec?.task !== report.task_name) {
    throw new InvalidError('task_name', 'reported task name does not match the current action details');
  }
  if (spec.name !== report.action_name) {
    throw new InvalidError('action_name', 'reported action name does not match the current action details');
  }
  const running = state.running?.index === index;
  const started = state.attempts[index] ?? 0;
  const workerId = report.worker_id === '' ? spec.workerId : report.worker_id;
  const attempt = starts && !running ? started + 1 : Math.max(started, 1);
  if (starts) return { type: 'StartAction', index, attempt, workerId, bootId: compatBootId, startedAt: now };
  const { seconds, message } = report;
  const outcome = outcomeOf(report.action_status);
  const failure =
    outcome === 'failed' ? ({ reason: 'exit', exitCode: null } as const) : { reason: null, exitCode: null };
  return { type: 'FinishAction', index, attempt, workerId, seconds, finishedAt: now, message, outcome, ...failure };
}

function reportedIndex(
  state: ExistingWorkflow,
  { task_name, action_name }: ActionStatusMessage,
  starts: boolean,
): number {
  if (state.running) return state.running.index;
  const last = state.ended?.index ?? state.current - 1;
  if (!starts) return Math.max(last, 0);
  const next = state.created.actions[state.current];
  return next?.task === task_name && next.name === action_name
    ? state.current
    : Math.max(state.ended ? last : state.current, 0);
}

function outcomeOf(status: string): 'succeeded' | 'failed' | 'timed-out' {
  if (status === 'STATE_SUCCESS') return 'succeeded';
  if (status === 'STATE_FAILED') return 'failed';
  if (status === 'STATE_TIMEOUT') return 'timed-out';
  throw new InvalidError('action_status', `${status} cannot be reported`);
}
