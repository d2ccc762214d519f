import type { WorkflowEvent } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { ConflictError, IllegalTransitionError, NotFoundError } from '../errors';
import { sameJson } from '../same-json';
import {
  abandonAction,
  expireAction,
  expireCancel,
  finishAction,
  finishHandler,
  grantPermit,
  startAction,
} from './action-rules';
import { putData } from './data-rules';
import { takeMachines } from './machine-rules';
import { operatorDecision } from './operator-rules';
import { withConsequences } from './settle';
import type { CreateWorkflow, WorkflowCommand } from './workflow-commands';
import { cut } from './workflow-commands';
import { evolveWorkflow, isTerminal, type ExistingWorkflow, type WorkflowState } from './workflow-state';

/** Refused reports of a workflow that are recorded; further ones are only counted and logged. */
const maxRefusals = 100;

/** A graph of actions, each on its own worker. What a decision brings about by itself is part of the same commit. */
export const workflowDecider: Decider<WorkflowCommand, WorkflowState, WorkflowEvent> = {
  initial: { status: 'none' },
  decide(command, state) {
    if (command.type === 'CreateWorkflow') return withConsequences(state, create(command, state));
    if (state.status === 'none') throw new NotFoundError('workflow', '');
    if (state.deleted) return decideDeleted(command);
    return withConsequences(state, decideExisting(command, state));
  },
  evolve: evolveWorkflow,
};

function create(
  { type, inherited = [], data, ...created }: CreateWorkflow,
  state: WorkflowState,
): readonly WorkflowEvent[] {
  if (state.status !== 'none') {
    if (!state.deleted && sameJson(state.created, created)) return [];
    throw new ConflictError(`${type}: a workflow with this id exists${state.deleted ? ', deleted' : ''}`, 'id');
  }
  return [
    { type: 'WorkflowCreated', v: 2, data: created },
    ...inherited.map((each): WorkflowEvent => ({ type: 'ActionInherited', v: 1, data: each })),
    ...(data === undefined
      ? []
      : [
          {
            type: 'WorkflowDataUpdated',
            v: 1,
            data: { version: 1, ...data, workerId: '', task: '', action: '' },
          } as const,
        ]),
  ];
}

/** What arrives after the deletion: a repeated deletion and the server's own timers and notes are nothing. */
function decideDeleted(command: WorkflowCommand): readonly WorkflowEvent[] {
  switch (command.type) {
    case 'DeleteWorkflow':
    case 'ExpireAction':
    case 'ExpireCancel':
    case 'ExpireWorkflow':
    case 'FenceWorkflow':
    case 'RecordDelay':
    case 'RecordRefusal':
      return [];
    default:
      throw new IllegalTransitionError(command.type, 'deleted');
  }
}

function decideExisting(
  command: Exclude<WorkflowCommand, CreateWorkflow>,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  switch (command.type) {
    case 'StartAction':
      return startAction(command, state);
    case 'FinishAction':
      return finishAction(command, state);
    case 'FinishHandler':
      return finishHandler(command, state);
    case 'GrantPermit':
      return grantPermit(command, state);
    case 'ExpireAction':
      return expireAction(command, state);
    case 'ExpireCancel':
      return expireCancel(command, state);
    case 'AbandonAction':
      return abandonAction(command, state);
    case 'ExpireWorkflow':
      return expireWorkflow(state);
    case 'PutData':
      return putData(command, state);
    case 'TakeMachines':
      return takeMachines(command, state);
    case 'FenceWorkflow':
      return [{ type: 'MachinesTaken', v: 2, data: { workerIds: [], index: null } }];
    case 'RecordDelay':
      return recordDelay(command, state);
    case 'RecordRefusal':
      return recordRefusal(command, state);
    case 'DeleteWorkflow':
      return [{ type: 'WorkflowDeleted', v: 1, data: {} }];
    case 'CancelWorkflow':
    case 'PauseWorkflow':
    case 'ResumeWorkflow':
    case 'ApproveAction':
    case 'RejectAction':
    case 'SkipAction':
    case 'ResolveOutcome':
      return operatorDecision(command, state);
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
  const index = state.actions.findIndex(({ status }) => status === 'running');
  const data = { globalTimeoutSeconds, index: index < 0 ? null : index };
  return [{ type: 'WorkflowTimedOut', v: 1, data }];
}

/** Once for each cause and machine. */
function recordDelay(
  { type: _, ...data }: Extract<WorkflowCommand, { readonly type: 'RecordDelay' }>,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  if (isTerminal(state.status) || state.delays.includes(`${data.cause}:${data.workerId}`)) return [];
  return [{ type: 'WorkflowDelayed', v: 1, data: { ...data, message: cut(data.message) } }];
}

function recordRefusal(
  { type: _, ...data }: Extract<WorkflowCommand, { readonly type: 'RecordRefusal' }>,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  if (state.refusals >= maxRefusals) return [];
  return [{ type: 'ReportRefused', v: 1, data: { ...data, message: cut(data.message) } }];
}
