import type { ActionSpec, WorkflowCreated, WorkflowEvent } from '@tinkerbell/events';
import { assertNever } from '../decider';

export type WorkflowState = { readonly status: 'none' } | ExistingWorkflow;

export interface ExistingWorkflow {
  /** `success`, `failed` and `timeout` are for ever. */
  readonly status: 'pending' | 'running' | 'success' | 'failed' | 'timeout';
  readonly deleted: boolean;
  /** What it was created with. */
  readonly created: WorkflowCreated['data'];
  /** Index of the action that is running, next, or ended the workflow; `actions.length` when all succeeded. */
  readonly current: number;
  /** How often each action was started. */
  readonly attempts: readonly number[];
  readonly running: RunningAction | null;
  /** The action that ended the workflow, if one did. */
  readonly ended: EndedAction | null;
  /** 0 = none yet. */
  readonly dataVersion: number;
  readonly dataSha256: string;
}

export interface RunningAction {
  readonly index: number;
  readonly attempt: number;
  readonly workerId: string;
  readonly bootId: string;
  readonly startedAt: string;
}

export interface EndedAction {
  readonly index: number;
  readonly attempt: number;
  readonly outcome: 'failed' | 'timed-out';
  /** Its on-failure or on-timeout command reported back. */
  readonly handled: boolean;
}

/** Nothing more will run. */
export function isTerminal(status: ExistingWorkflow['status']): boolean {
  return status !== 'pending' && status !== 'running';
}

export function evolveWorkflow(state: WorkflowState, event: WorkflowEvent): WorkflowState {
  if (event.type === 'WorkflowCreated') return opened(event.data);
  if (state.status === 'none') return state;
  switch (event.type) {
    case 'ActionStarted': {
      const { index, attempt, workerId, bootId, startedAt } = event.data;
      const attempts = state.attempts.map((count, i) => (i === index ? Math.max(count, attempt) : count));
      return {
        ...state,
        status: 'running',
        current: index,
        attempts,
        running: { index, attempt, workerId, bootId, startedAt },
      };
    }
    case 'ActionSucceeded': {
      const current = event.data.index + 1;
      return {
        ...state,
        status: current === state.created.actions.length ? 'success' : 'running',
        current,
        running: null,
      };
    }
    case 'ActionFailed':
      return ended(state, 'failed', { ...event.data, outcome: 'failed' });
    case 'ActionTimedOut':
      return ended(state, 'timeout', { ...event.data, outcome: 'timed-out' });
    case 'WorkflowTimedOut':
      return ended(state, 'timeout', state.running && { ...state.running, outcome: 'timed-out' });
    case 'ActionHandlerFinished':
      return { ...state, ended: state.ended && { ...state.ended, handled: true } };
    case 'WorkflowDataUpdated':
      return { ...state, dataVersion: event.data.version, dataSha256: event.data.sha256 };
    case 'WorkflowDeleted':
      return { ...state, deleted: true };
    default:
      return assertNever(event);
  }
}

function opened(created: { readonly actions: readonly ActionSpec[] } & WorkflowCreated['data']): ExistingWorkflow {
  return {
    // Without actions there is nothing left to do.
    status: created.actions.length === 0 ? 'success' : 'pending',
    deleted: false,
    created,
    current: 0,
    attempts: created.actions.map(() => 0),
    running: null,
    ended: null,
    dataVersion: 0,
    dataSha256: '',
  };
}

function ended(
  state: ExistingWorkflow,
  status: 'failed' | 'timeout',
  by: Pick<EndedAction, 'index' | 'attempt' | 'outcome'> | null,
): ExistingWorkflow {
  const action = by && { index: by.index, attempt: by.attempt, outcome: by.outcome, handled: false };
  return { ...state, status, running: null, ended: action };
}
