import type { WorkflowEvent } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { ConflictError, IllegalTransitionError, NotFoundError } from '../errors';
import { sameJson } from '../same-json';
import { abandonAction, expireAction, finishAction, finishHandler, startAction } from './action-rules';
import { putData } from './data-rules';
import type { WorkflowCommand } from './workflow-commands';
import { evolveWorkflow, isTerminal, type ExistingWorkflow, type WorkflowState } from './workflow-state';

/** Actions run one after the other, each on its own worker; the first one that fails or times out ends the workflow for ever. */
export const workflowDecider: Decider<WorkflowCommand, WorkflowState, WorkflowEvent> = {
  initial: { status: 'none' },
  decide(command, state) {
    if (command.type === 'CreateWorkflow') return create(command, state);
    if (state.status === 'none') throw new NotFoundError('workflow', '');
    if (state.deleted) return decideDeleted(command);
    return decideExisting(command, state);
  },
  evolve: evolveWorkflow,
};

function create(
  { type, ...data }: Extract<WorkflowCommand, { readonly type: 'CreateWorkflow' }>,
  state: WorkflowState,
): readonly WorkflowEvent[] {
  if (state.status === 'none') return [{ type: 'WorkflowCreated', v: 1, data }];
  if (!state.deleted && sameJson(state.created, data)) return [];
  throw new ConflictError(`${type}: a workflow with this id exists${state.deleted ? ', deleted' : ''}`, 'id');
}

/** What arrives after the deletion: a repeated deletion and the server's own timers are nothing. */
function decideDeleted(command: WorkflowCommand): readonly WorkflowEvent[] {
  if (command.type === 'DeleteWorkflow' || command.type === 'ExpireAction' || command.type === 'ExpireWorkflow')
    return [];
  throw new IllegalTransitionError(command.type, 'deleted');
}

function decideExisting(
  command: Exclude<WorkflowCommand, { readonly type: 'CreateWorkflow' }>,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  switch (command.type) {
    case 'StartAction':
      return startAction(command, state);
    case 'FinishAction':
      return finishAction(command, state);
    case 'FinishHandler':
      return finishHandler(command, state);
    case 'ExpireAction':
      return expireAction(command, state);
    case 'AbandonAction':
      return abandonAction(command, state);
    case 'ExpireWorkflow':
      return expireWorkflow(state);
    case 'PutData':
      return putData(command, state);
    case 'DeleteWorkflow':
      return [{ type: 'WorkflowDeleted', v: 1, data: {} }];
    default:
      return assertNever(command);
  }
}

function expireWorkflow(state: ExistingWorkflow): readonly WorkflowEvent[] {
  if (isTerminal(state.status)) return [];
  const { globalTimeoutSeconds } = state.created;
  if (globalTimeoutSeconds === 0) throw new IllegalTransitionError('ExpireWorkflow', 'without a global timeout');
  // The limit counts from the start of the first action.
  if (state.status === 'pending') throw new IllegalTransitionError('ExpireWorkflow', 'pending');
  return [{ type: 'WorkflowTimedOut', v: 1, data: { globalTimeoutSeconds, index: state.running?.index ?? null } }];
}
