import type { JsonObject, PlannedAction, WorkflowCreated, WorkflowEvent } from '@tinkerbell/events';
import { assertNever } from '../decider';
import { endingOf, type ActionStatus, type WorkflowStatus } from './graph';

export type WorkflowState = { readonly status: 'none' } | ExistingWorkflow;

export interface ExistingWorkflow {
  /** `success`, `failed`, `timeout` and `cancelled` are for ever. */
  readonly status: WorkflowStatus;
  readonly deleted: boolean;
  readonly paused: boolean;
  /** Asked to end: nothing more starts. */
  readonly cancelling: boolean;
  /** It keeps its machines although nothing of it has started yet. */
  readonly machinesTaken: boolean;
  /** The action that its machines were taken for. */
  readonly handedOut: number | null;
  /** What it was created with. */
  readonly created: WorkflowCreated['data'];
  readonly actions: readonly ActionState[];
  /** The action that it ended with, when one is to blame. */
  readonly blame: number | null;
  /** 0 = none yet. */
  readonly dataVersion: number;
  readonly dataSha256: string;
  /** Bytes. */
  readonly dataSize: number;
  /** `cause:worker` of the delays that are recorded. */
  readonly delays: readonly string[];
  /** How many refused reports are recorded. */
  readonly refusals: number;
}

export interface ActionState {
  readonly status: ActionStatus;
  /** How often it was started. */
  readonly attempts: number;
  /** How many of those failed and were followed by another try. */
  readonly retried: number;
  /** Not to be started before, ISO 8601; null = at once. */
  readonly retryAt: string | null;
  readonly approved: boolean;
  /** The next try follows one that a restart cut off, and is told so. */
  readonly resumed: boolean;
  /** The try that runs, or whose outcome is unknown. */
  readonly running: RunningAction | null;
  /** How the last try ended, when it did. */
  readonly last: 'succeeded' | 'failed' | 'timed-out' | 'cancelled' | null;
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly outputs: JsonObject;
  readonly permit: Permit | null;
  /** Its on-failure or on-timeout command reported back. */
  readonly handled: boolean;
}

export interface RunningAction {
  readonly attempt: number;
  readonly workerId: string;
  readonly bootId: string;
  readonly startedAt: string;
}

export interface Permit {
  readonly attempt: number;
  readonly bootId: string;
  readonly nonce: string;
  readonly expiresAt: string;
}

/** Nothing more will run. */
export function isTerminal(status: WorkflowStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

export function plansOf({ created }: Pick<ExistingWorkflow, 'created'>): readonly PlannedAction['plan'][] {
  return created.actions.map(({ plan }) => plan);
}

/** The one that is running, that it ended with, or the next: what clients that know one action at a time are shown. */
export function currentIndex({
  actions,
  blame,
}: {
  readonly actions: readonly Pick<ActionState, 'status'>[];
  readonly blame: number | null;
}): number {
  const running = actions.findIndex(({ status }) => status === 'running' || status === 'unknown');
  if (running >= 0) return running;
  if (blame !== null) return blame;
  const open = actions.findIndex(({ status }) => status === 'pending' || status === 'awaiting-approval');
  return open < 0 ? actions.length : open;
}

export function evolveWorkflow(state: WorkflowState, event: WorkflowEvent): WorkflowState {
  if (event.type === 'WorkflowCreated') return settled(opened(event.data));
  if (state.status === 'none') return state;
  return settled(evolveExisting(state, event));
}

function evolveExisting(state: ExistingWorkflow, event: Exclude<WorkflowEvent, WorkflowCreated>): ExistingWorkflow {
  switch (event.type) {
    case 'WorkflowDataUpdated':
      return { ...state, dataVersion: event.data.version, dataSha256: event.data.sha256, dataSize: event.data.size };
    case 'WorkflowPaused':
      return { ...state, paused: true };
    case 'WorkflowResumed':
      return { ...state, paused: false };
    case 'WorkflowCancelRequested':
      return { ...state, cancelling: true };
    case 'WorkflowTimedOut':
      return timedOut(state, event.data.index);
    case 'WorkflowFinished':
      return isTerminal(state.status) ? state : { ...state, status: event.data.status, blame: event.data.index };
    case 'WorkflowDeleted':
      return { ...state, deleted: true };
    case 'MachinesTaken':
      return event.data.workerIds.length === 0
        ? state
        : { ...state, machinesTaken: true, handedOut: state.handedOut ?? event.data.index };
    case 'WorkflowDelayed':
      return { ...state, delays: [...state.delays, `${event.data.cause}:${event.data.workerId}`] };
    case 'ReportRefused':
      return { ...state, refusals: state.refusals + 1 };
    default:
      return withAction(state, event.data.index, (action) => evolveAction(action, event));
  }
}

type ActionEvent = Extract<WorkflowEvent, { readonly type: `Action${string}` }>;

function evolveAction(action: ActionState, event: ActionEvent): ActionState {
  switch (event.type) {
    case 'ActionStarted': {
      const { attempt, workerId, bootId, startedAt } = event.data;
      const running = { attempt, workerId, bootId, startedAt };
      const attempts = Math.max(action.attempts, attempt);
      return { ...action, status: 'running', attempts, running, retryAt: null, resumed: false, last: null };
    }
    case 'ActionSucceeded': {
      const { seconds, outputs } = event.data;
      return ended(action, 'success', { last: 'succeeded', exitCode: 0, seconds, outputs });
    }
    case 'ActionFailed': {
      const { seconds, exitCode } = event.data;
      return ended(action, 'failed', { last: 'failed', exitCode, seconds });
    }
    case 'ActionTimedOut':
      return ended(action, 'timeout', { last: 'timed-out', seconds: event.data.seconds });
    case 'ActionAttemptFailed': {
      const { outcome, exitCode, seconds, retryAt } = event.data;
      const retried = action.retried + 1;
      return ended(action, 'pending', { last: outcome, exitCode, seconds, retryAt, retried });
    }
    case 'ActionSkipped':
      return ended(action, 'skipped', {});
    case 'ActionInherited': {
      const { seconds, outputs } = event.data;
      return ended(action, 'success', { last: 'succeeded', exitCode: 0, seconds, outputs });
    }
    case 'ActionCancelled':
      return ended(action, 'cancelled', { last: 'cancelled', seconds: event.data.seconds });
    case 'ActionApprovalRequested':
      return { ...action, status: 'awaiting-approval' };
    case 'ActionApproved':
      return { ...action, status: 'pending', approved: true };
    case 'ActionRejected':
      return ended(action, 'failed', {});
    case 'ActionOutcomeUnknown':
      return { ...action, status: 'unknown' };
    case 'ActionOutcomeResolved':
      return resolved(action, event.data);
    case 'ActionPermitGranted': {
      const { attempt, bootId, nonce, expiresAt } = event.data;
      return { ...action, permit: { attempt, bootId, nonce, expiresAt } };
    }
    case 'ActionHandlerFinished':
      return { ...action, handled: true };
    default:
      return assertNever(event);
  }
}

function ended(action: ActionState, status: ActionStatus, change: Partial<ActionState>): ActionState {
  return { ...action, status, running: null, ...change };
}

function resolved(
  action: ActionState,
  { as }: { readonly as: 'succeeded' | 'failed' | 'restart' | 'resume' },
): ActionState {
  if (as === 'succeeded') return ended(action, 'success', { last: 'succeeded' });
  if (as === 'failed') return ended(action, 'failed', { last: 'failed' });
  return ended(action, 'pending', { resumed: as === 'resume' });
}

/** The global timeout ends everything that runs. */
function timedOut(state: ExistingWorkflow, index: number | null): ExistingWorkflow {
  const actions = state.actions.map((action) =>
    action.status === 'running' ? ended(action, 'timeout', { last: 'timed-out' }) : action,
  );
  return { ...state, actions, status: 'timeout', blame: index };
}

/** The status follows from the actions, so the log of a release that wrote no WorkflowFinished reads the same. */
function settled(state: ExistingWorkflow): ExistingWorkflow {
  if (isTerminal(state.status)) return state;
  const statuses = state.actions.map(({ status }) => status);
  const ending = endingOf(plansOf(state), statuses, state.cancelling);
  if (ending) return { ...state, status: ending.status, blame: ending.index };
  return state.status === 'pending' && state.actions.some(({ attempts }) => attempts > 0)
    ? { ...state, status: 'running' }
    : state;
}

function withAction(
  state: ExistingWorkflow,
  index: number,
  change: (action: ActionState) => ActionState,
): ExistingWorkflow {
  const action = state.actions[index];
  return action ? { ...state, actions: state.actions.with(index, change(action)) } : state;
}

function opened(created: WorkflowCreated['data']): ExistingWorkflow {
  return {
    status: 'pending',
    deleted: false,
    paused: false,
    cancelling: false,
    machinesTaken: false,
    handedOut: null,
    created,
    actions: created.actions.map(() => untouched),
    blame: null,
    dataVersion: 0,
    dataSha256: '',
    dataSize: 0,
    delays: [],
    refusals: 0,
  };
}

const untouched: ActionState = {
  status: 'pending',
  attempts: 0,
  retried: 0,
  retryAt: null,
  approved: false,
  resumed: false,
  running: null,
  last: null,
  exitCode: null,
  seconds: 0,
  outputs: {},
  permit: null,
  handled: false,
};
