import type { ActionSpec, WorkflowEvent } from '@tinkerbell/events';
import { ConflictError, ForbiddenError, IllegalTransitionError, InvalidError } from '../errors';
import { cut, finishedEvent, type FinishAction, type WorkflowCommand } from './workflow-commands';
import { isTerminal, type ExistingWorkflow } from './workflow-state';

type Command<T extends WorkflowCommand['type']> = Extract<WorkflowCommand, { readonly type: T }>;

interface Reported {
  readonly type: string;
  readonly index: number;
  readonly attempt: number;
  readonly workerId: string;
}

export function startAction(command: Command<'StartAction'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, index, attempt, ...rest } = command;
  const started = checked(command, state);
  if (attempt < started) return [];
  if (attempt === started) return repeatedStart(command, state);
  if (isTerminal(state.status)) throw new IllegalTransitionError(type, state.status);
  if (index !== state.current) throw new IllegalTransitionError(`${type} ${index}`, at(state));
  if (state.running) throw new IllegalTransitionError(`${type} ${index} attempt ${attempt}`, at(state));
  if (attempt !== started + 1) {
    throw new InvalidError('attempt', `attempt ${attempt} of action ${index} cannot follow attempt ${started}`);
  }
  return [{ type: 'ActionStarted', v: 1, data: { index, attempt, ...rest } }];
}

/** The worker lost our answer and reports again: nothing. From another boot of the machine it is not the same start. */
function repeatedStart({ index, attempt, bootId }: Command<'StartAction'>, state: ExistingWorkflow): readonly [] {
  const { running } = state;
  if (running?.index !== index || running.attempt !== attempt || running.bootId === bootId) return [];
  throw new ConflictError(
    `attempt ${attempt} of action ${index} was started by boot ${running.bootId}, not by ${bootId}`,
    'bootId',
  );
}

export function finishAction(command: FinishAction, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, index, attempt, outcome } = command;
  checked(command, state);
  if (isRunning(command, state)) return [finishedEvent(command)];
  if (isSettled(command, state)) {
    // An action that had succeeded, or ended the workflow in just this way, was reported before.
    const recorded = state.ended?.index === index ? state.ended.outcome : 'succeeded';
    if (recorded === outcome) return [];
    throw new IllegalTransitionError(`${type} ${index} (${outcome})`, `action ${index} is recorded as ${recorded}`);
  }
  throw new IllegalTransitionError(`${type} ${index} attempt ${attempt}`, at(state));
}

/** Once, after an action that failed or timed out, and only a command that the action declares. */
export function finishHandler(command: Command<'FinishHandler'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, ...data } = command;
  checked(command, state);
  const { ended } = state;
  if (ended === null || ended.index !== data.index || ended.attempt !== data.attempt) {
    throw new IllegalTransitionError(`${type} ${data.index} attempt ${data.attempt}`, at(state));
  }
  const handler = handlerOf(specOf(data.index, state), ended.outcome);
  if (handler !== data.handler) {
    throw new InvalidError('handler', `action ${data.index} ${ended.outcome}: its handler is ${handler ?? 'none'}`);
  }
  if (ended.handled) return [];
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
  specOf(index, state);
  if (!isRunning(command, state) || !state.running) return [];
  const { workerId } = state.running;
  const data = { index, attempt, workerId, seconds, firedBy: 'server', message: cut(message) } as const;
  return [{ type: 'ActionTimedOut', v: 1, data }];
}

export function abandonAction(command: Command<'AbandonAction'>, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const { type, index, attempt, workerId, bootId, seconds, finishedAt } = command;
  checked(command, state);
  if (!isRunning(command, state)) {
    if (isSettled(command, state)) return [];
    throw new IllegalTransitionError(`${type} ${index} attempt ${attempt}`, at(state));
  }
  if (state.running?.bootId === bootId) {
    throw new ConflictError(`action ${index} still belongs to boot ${bootId} of its worker`, 'bootId');
  }
  const message = 'the machine was started anew while the action ran; nobody knows what it has done';
  const reason = 'unknown-outcome';
  const data = { index, attempt, workerId, seconds, finishedAt, reason, exitCode: null, message } as const;
  return [{ type: 'ActionFailed', v: 1, data }];
}

/** The action exists, the caller is its worker, the attempt is a number from 1. Returns how often the action was started. */
function checked({ index, attempt, workerId }: Reported, state: ExistingWorkflow): number {
  const spec = specOf(index, state);
  if (spec.workerId !== workerId) {
    throw new ForbiddenError(`action ${index} is assigned to worker ${spec.workerId}, not to ${workerId}`);
  }
  if (!Number.isInteger(attempt) || attempt < 1) {
    throw new InvalidError('attempt', `attempt must be a whole number from 1, got ${attempt}`);
  }
  return state.attempts[index] ?? 0;
}

function specOf(index: number, state: ExistingWorkflow): ActionSpec {
  const spec = state.created.actions[index];
  if (spec) return spec;
  throw new InvalidError('index', `there is no action ${index}: the workflow has ${state.created.actions.length}`);
}

function isRunning({ index, attempt }: Pick<Reported, 'index' | 'attempt'>, { running }: ExistingWorkflow): boolean {
  return running?.index === index && running.attempt === attempt;
}

/** This attempt was started and its end is recorded, or a later attempt replaced it. */
function isSettled({ index, attempt }: Pick<Reported, 'index' | 'attempt'>, state: ExistingWorkflow): boolean {
  return attempt <= (state.attempts[index] ?? 0) && !isRunning({ index, attempt }, state);
}

function at({ status, running, current }: ExistingWorkflow): string {
  if (isTerminal(status)) return status;
  if (running) return `action ${running.index} attempt ${running.attempt} is running`;
  return `${status}, action ${current} being next`;
}
