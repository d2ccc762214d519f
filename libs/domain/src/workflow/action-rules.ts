import type { ActionSpec, PlannedAction, WorkflowEvent } from '@tinkerbell/events';
import { ConflictError, ForbiddenError, IllegalTransitionError, InvalidError, NotYetError } from '../errors';
import { outlooks } from './graph';
import { retryAfter } from './retry';
import { cut, type FinishAction, type WorkflowCommand } from './workflow-commands';
import { currentIndex, isTerminal, plansOf, type ActionState, type ExistingWorkflow } from './workflow-state';

type Command<T extends WorkflowCommand['type']> = Extract<WorkflowCommand, { readonly type: T }>;

interface Reported {
  readonly type: string;
  readonly index: number;
  readonly attempt: number;
  readonly workerId: string;
}

export function startAction(command: Command<'StartAction'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, index, attempt, ...rest } = command;
  const action = checked(command, state);
  if (attempt < action.attempts) return [];
  if (attempt === action.attempts) return repeatedStart(command, action);
  if (isTerminal(state.status)) throw new IllegalTransitionError(type, state.status);
  if (state.cancelling) throw new IllegalTransitionError(`${type} ${index}`, 'the workflow is being cancelled');
  if (action.status !== 'pending' || !mayStart(index, state)) {
    throw new IllegalTransitionError(`${type} ${index} attempt ${attempt}`, at(state));
  }
  if (attempt !== action.attempts + 1) {
    throw new InvalidError('attempt', `attempt ${attempt} of action ${index} cannot follow attempt ${action.attempts}`);
  }
  return [{ type: 'ActionStarted', v: 1, data: { index, attempt, ...rest } }];
}

/** Every action that it needs has ended as it wants. Its condition and approval were settled when that came about. */
export function mayStart(index: number, state: ExistingWorkflow): boolean {
  const statuses = state.actions.map(({ status }) => status);
  return outlooks(plansOf(state), statuses)[index] === 'ready';
}

/** The worker lost our answer and reports again: nothing. From another boot of the machine it is not the same start. */
function repeatedStart(
  { index, attempt, bootId }: Command<'StartAction'>,
  { status, running }: ActionState,
): readonly [] {
  if (status !== 'running' || running?.attempt !== attempt || running.bootId === bootId) return [];
  throw new ConflictError(
    `attempt ${attempt} of action ${index} was started by boot ${running.bootId}, not by ${bootId}`,
    'bootId',
  );
}

export function finishAction(command: FinishAction, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, index, attempt, outcome, bootId } = command;
  const action = checked(command, state);
  const { running } = action;
  if (running?.attempt === attempt) {
    if (bootId !== undefined && bootId !== running.bootId) {
      throw new ForbiddenError(
        `attempt ${attempt} of action ${index} belongs to boot ${running.bootId}, not to ${bootId}`,
      );
    }
    return finishRunning(command, action, state);
  }
  if (attempt > action.attempts) throw new IllegalTransitionError(`${type} ${index} attempt ${attempt}`, at(state));
  // What is recorded was reported before, in just this way.
  const recorded = attempt === action.attempts ? action.last : null;
  if (recorded === outcome) return [];
  const known = recorded === null ? `attempt ${attempt} is over` : `action ${index} is recorded as ${recorded}`;
  throw new IllegalTransitionError(`${type} ${index} (${outcome})`, known);
}

function finishRunning(command: FinishAction, action: ActionState, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, index, attempt, workerId, seconds, finishedAt, exitCode } = command;
  const message = cut(command.message);
  const reporting = { index, attempt, workerId, seconds };
  switch (command.outcome) {
    case 'succeeded': {
      const data = { index, attempt, workerId, seconds, finishedAt, message, outputs: command.outputs ?? {} };
      return [{ type: 'ActionSucceeded', v: 2, data }];
    }
    case 'cancelled':
      if (!state.cancelling) throw new IllegalTransitionError(`${type} ${index} (cancelled)`, 'nobody cancelled it');
      return [{ type: 'ActionCancelled', v: 1, data: { ...reporting, confirmed: true, message } }];
    case 'failed': {
      const reason = command.reason ?? 'exit';
      const retryAt = retryAfter(command, specOf(index, state).plan.retry, action, state);
      if (retryAt !== undefined) {
        const data = { ...reporting, outcome: 'failed', reason, exitCode, message, retryAt } as const;
        return [{ type: 'ActionAttemptFailed', v: 1, data }];
      }
      return [{ type: 'ActionFailed', v: 1, data: { ...reporting, finishedAt, reason, exitCode, message } }];
    }
    case 'timed-out': {
      const retryAt = retryAfter(command, specOf(index, state).plan.retry, action, state);
      if (retryAt !== undefined) {
        const data = { ...reporting, outcome: 'timed-out', reason: null, exitCode: null, message, retryAt } as const;
        return [{ type: 'ActionAttemptFailed', v: 1, data }];
      }
      return [{ type: 'ActionTimedOut', v: 1, data: { ...reporting, firedBy: 'worker', message } }];
    }
  }
}

/** Once, after an action that failed or timed out, and only a command that the action declares. */
export function finishHandler(command: Command<'FinishHandler'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, ...data } = command;
  const action = checked(command, state);
  const outcome = action.status === 'failed' ? 'failed' : action.status === 'timeout' ? 'timed-out' : undefined;
  if (outcome === undefined || action.attempts !== data.attempt) {
    throw new IllegalTransitionError(`${type} ${data.index} attempt ${data.attempt}`, at(state));
  }
  const handler = handlerOf(specOf(data.index, state), outcome);
  if (handler !== data.handler) {
    throw new InvalidError('handler', `action ${data.index} ${outcome}: its handler is ${handler ?? 'none'}`);
  }
  if (action.handled) return [];
  return [{ type: 'ActionHandlerFinished', v: 1, data: { ...data, message: cut(data.message) } }];
}

/** What runs after an action ended badly: on-timeout after a timeout, else on-failure; undefined when the action declares none. */
export function handlerOf(
  spec: Pick<ActionSpec, 'onTimeout' | 'onFailure'>,
  outcome: 'failed' | 'timed-out',
): 'on-timeout' | 'on-failure' | undefined {
  if (outcome === 'timed-out' && spec.onTimeout.length > 0) return 'on-timeout';
  return spec.onFailure.length > 0 ? 'on-failure' : undefined;
}

/** Loses against whatever was recorded before it. */
export function expireAction(command: Command<'ExpireAction'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { index, attempt, seconds, message } = command;
  const { workerId } = specOf(index, state);
  if (!runningTry(command, state) && !neverBegun(command, state)) return [];
  const data = {
    index,
    attempt,
    workerId,
    seconds,
    firedBy: 'server',
    message: cut(message),
  } as const;
  return [{ type: 'ActionTimedOut', v: 1, data }];
}

/** It was handed out, and may wait for its worker no longer because other machines wait with it. */
function neverBegun({ index, attempt }: Command<'ExpireAction'>, state: ExistingWorkflow): boolean {
  const action = actionOf(index, state);
  if (isTerminal(state.status) || state.paused || state.cancelling || state.handedOut !== index) return false;
  return action.status === 'pending' && action.attempts === 0 && attempt === 1;
}

/** Nobody confirmed that the action was stopped; it counts as stopped, for the workflow has to end. */
export function expireCancel(command: Command<'ExpireCancel'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { index, attempt, seconds, message } = command;
  specOf(index, state);
  const running = runningTry(command, state);
  if (!running || !state.cancelling) return [];
  const data = { index, attempt, workerId: running.workerId, seconds, confirmed: false, message: cut(message) };
  return [{ type: 'ActionCancelled', v: 1, data }];
}

export function abandonAction(command: Command<'AbandonAction'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, index, attempt, workerId, bootId, seconds, finishedAt } = command;
  const action = checked(command, state);
  const running = runningTry(command, state);
  if (!running) {
    if (attempt <= action.attempts) return [];
    throw new IllegalTransitionError(`${type} ${index} attempt ${attempt}`, at(state));
  }
  if (running.bootId === bootId) {
    throw new ConflictError(`action ${index} still belongs to boot ${bootId} of its worker`, 'bootId');
  }
  const message = 'the machine was started anew while the action ran; nobody knows what it has done';
  const reporting = { index, attempt, workerId, seconds };
  if (state.cancelling) {
    return [{ type: 'ActionCancelled', v: 1, data: { ...reporting, confirmed: false, message } }];
  }
  const { onReboot } = specOf(index, state).plan;
  if (onReboot === 'fail') {
    const data = { ...reporting, finishedAt, reason: 'unknown-outcome', exitCode: null, message } as const;
    return [{ type: 'ActionFailed', v: 1, data }];
  }
  const unknown: WorkflowEvent = { type: 'ActionOutcomeUnknown', v: 1, data: { ...reporting, bootId, message } };
  if (onReboot === 'ask') return [unknown];
  const resolution = { index, attempt, as: onReboot, by: 'policy', reason: `onReboot: ${onReboot}` } as const;
  return [unknown, { type: 'ActionOutcomeResolved', v: 1, data: resolution }];
}

/** Once for an attempt: to the boot that runs it, and again only to the same nonce. */
export function grantPermit(command: Command<'GrantPermit'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, ...data } = command;
  const { index, attempt, bootId, nonce } = data;
  const action = checked(command, state);
  const spec = specOf(index, state);
  if (!spec.plan.destructive) throw new InvalidError('index', `${spec.plan.id} needs no permit: it is not destructive`);
  const { permit, running } = action;
  if (permit && permit.attempt === attempt) {
    if (permit.nonce === nonce && permit.bootId === bootId) return [];
    throw new ConflictError(`the permit for attempt ${attempt} of ${spec.plan.id} has been given out`, 'nonce');
  }
  if (
    !isTerminal(state.status) &&
    !state.cancelling &&
    attempt === action.attempts + 1 &&
    action.status === 'pending'
  ) {
    throw new NotYetError(`${type} ${index} attempt ${attempt}`, 'the log does not have the start of this action yet');
  }
  if (action.status !== 'running' || running?.attempt !== attempt || isTerminal(state.status)) {
    throw new IllegalTransitionError(`${type} ${index} attempt ${attempt}`, at(state));
  }
  if (state.cancelling) throw new IllegalTransitionError(`${type} ${index}`, 'the workflow is being cancelled');
  if (running.bootId !== bootId) {
    throw new ForbiddenError(
      `attempt ${attempt} of action ${index} belongs to boot ${running.bootId}, not to ${bootId}`,
    );
  }
  return [{ type: 'ActionPermitGranted', v: 1, data }];
}

/** The action exists, the caller is its worker, the attempt is a number from 1. */
function checked({ index, attempt, workerId }: Reported, state: ExistingWorkflow): ActionState {
  const spec = specOf(index, state);
  if (spec.workerId !== workerId) {
    throw new ForbiddenError(`action ${index} is assigned to worker ${spec.workerId}, not to ${workerId}`);
  }
  if (!Number.isInteger(attempt) || attempt < 1) {
    throw new InvalidError('attempt', `attempt must be a whole number from 1, got ${attempt}`);
  }
  return actionOf(index, state);
}

export function specOf(index: number, state: ExistingWorkflow): PlannedAction {
  const spec = state.created.actions[index];
  if (spec) return spec;
  throw new InvalidError('index', `there is no action ${index}: the workflow has ${state.created.actions.length}`);
}

export function actionOf(index: number, state: ExistingWorkflow): ActionState {
  const action = state.actions[index];
  if (action) return action;
  throw new InvalidError('index', `there is no action ${index}: the workflow has ${state.actions.length}`);
}

function runningTry({ index, attempt }: Pick<Reported, 'index' | 'attempt'>, { actions }: ExistingWorkflow) {
  const action = actions[index];
  return action?.status === 'running' && action.running?.attempt === attempt ? action.running : undefined;
}

export function at(state: ExistingWorkflow): string {
  const { status, actions } = state;
  if (isTerminal(status)) return status;
  const running = actions.flatMap((action, index) =>
    action.running
      ? [
          `action ${index} attempt ${action.running.attempt} is ${action.status === 'unknown' ? 'of unknown outcome' : 'running'}`,
        ]
      : [],
  );
  if (running.length > 0) return running.join(' and ');
  const next = currentIndex(state);
  return `${status}, action ${next} being ${actions[next]?.status === 'awaiting-approval' ? 'without approval' : 'next'}`;
}
