import type { WorkflowEvent } from '@tinkerbell/events';
import { assertNever } from '../decider';
import { IllegalTransitionError } from '../errors';
import { actionOf, specOf } from './action-rules';
import { cut, type OperatorCommand } from './workflow-commands';
import { isTerminal, type ExistingWorkflow } from './workflow-state';

/** What a person may decide, and when. The same decision again is nothing. */
export function operatorDecision(command: OperatorCommand, state: ExistingWorkflow): readonly WorkflowEvent[] {
  const reason = cut(command.reason);
  switch (command.type) {
    case 'CancelWorkflow':
      if (state.cancelling) return [];
      refuseEnded(command, state);
      return [{ type: 'WorkflowCancelRequested', v: 1, data: { reason } }];
    case 'PauseWorkflow':
      refuseEnded(command, state);
      if (state.cancelling) throw new IllegalTransitionError(command.type, 'the workflow is being cancelled');
      return state.paused ? [] : [{ type: 'WorkflowPaused', v: 1, data: { reason } }];
    case 'ResumeWorkflow':
      refuseEnded(command, state);
      return state.paused ? [{ type: 'WorkflowResumed', v: 1, data: { reason } }] : [];
    case 'ApproveAction':
    case 'RejectAction':
      return approval(command, reason, state);
    case 'SkipAction':
      return skip(command, reason, state);
    case 'ResolveOutcome':
      return resolve(command, reason, state);
    default:
      return assertNever(command);
  }
}

function approval(
  { type, index }: Extract<OperatorCommand, { readonly type: 'ApproveAction' | 'RejectAction' }>,
  reason: string,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  const { status, approved } = actionOf(index, state);
  if (type === 'ApproveAction' && approved) return [];
  refuseEnded({ type }, state);
  if (status !== 'awaiting-approval') {
    throw new IllegalTransitionError(`${type} ${index}`, `${specOf(index, state).plan.id} is ${status}`);
  }
  return [{ type: type === 'ApproveAction' ? 'ActionApproved' : 'ActionRejected', v: 1, data: { index, reason } }];
}

/** What runs has to be stopped, not skipped. */
function skip(
  { type, index }: Extract<OperatorCommand, { readonly type: 'SkipAction' }>,
  reason: string,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  const { status } = actionOf(index, state);
  if (status === 'skipped') return [];
  refuseEnded({ type }, state);
  if (state.cancelling) throw new IllegalTransitionError(`${type} ${index}`, 'the workflow is being cancelled');
  if (status !== 'pending' && status !== 'awaiting-approval' && status !== 'unknown') {
    throw new IllegalTransitionError(`${type} ${index}`, `${specOf(index, state).plan.id} is ${status}`);
  }
  return [{ type: 'ActionSkipped', v: 1, data: { index, by: 'operator', reason } }];
}

function resolve(
  { type, index, as }: Extract<OperatorCommand, { readonly type: 'ResolveOutcome' }>,
  reason: string,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  const { status, running } = actionOf(index, state);
  refuseEnded({ type }, state);
  if (status !== 'unknown' || !running) {
    throw new IllegalTransitionError(`${type} ${index}`, `${specOf(index, state).plan.id} is ${status}`);
  }
  const data = { index, attempt: running.attempt, as, by: 'operator', reason } as const;
  return [{ type: 'ActionOutcomeResolved', v: 1, data }];
}

function refuseEnded({ type }: { readonly type: string }, { status }: ExistingWorkflow): void {
  if (isTerminal(status)) throw new IllegalTransitionError(type, status);
}
