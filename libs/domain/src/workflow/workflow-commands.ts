import type {
  ActionFailed,
  ActionHandlerFinished,
  ActionStarted,
  FailureReason,
  WorkflowCreated,
  WorkflowEvent,
} from '@tinkerbell/events';

/** Every report names the action by its index and the attempt by its number, as they were assigned. */
export type WorkflowCommand =
  | ({ readonly type: 'CreateWorkflow' } & WorkflowCreated['data'])
  | ({ readonly type: 'StartAction' } & ActionStarted['data'])
  | FinishAction
  | ({ readonly type: 'FinishHandler' } & ActionHandlerFinished['data'])
  /** The server's own deadline for an action passed and its worker has not reported. */
  | {
      readonly type: 'ExpireAction';
      readonly index: number;
      readonly attempt: number;
      readonly seconds: number;
      readonly message: string;
    }
  | { readonly type: 'ExpireWorkflow' }
  /** The worker came back with another `bootId` than the one that began the action: nobody knows what the action has done. */
  | {
      readonly type: 'AbandonAction';
      readonly index: number;
      readonly attempt: number;
      readonly workerId: string;
      readonly bootId: string;
      readonly seconds: number;
      readonly finishedAt: string;
    }
  /** `workerId` and `index` are null when an operator sets the data. The content lies in the blob bucket. */
  | {
      readonly type: 'PutData';
      readonly workerId: string | null;
      readonly index: number | null;
      readonly sha256: string;
      readonly size: number;
    }
  | { readonly type: 'DeleteWorkflow' };

export interface FinishAction extends Pick<
  ActionFailed['data'],
  'index' | 'attempt' | 'workerId' | 'seconds' | 'finishedAt' | 'message'
> {
  readonly type: 'FinishAction';
  readonly outcome: 'succeeded' | 'failed' | 'timed-out';
  /** Of a failure. */
  readonly reason: FailureReason | null;
  readonly exitCode: number | null;
}

/** The event that a worker's report of an action's end becomes. Its message is cut to 200 characters. */
export function finishedEvent(command: FinishAction): WorkflowEvent {
  const { index, attempt, workerId, seconds, finishedAt } = command;
  const message = cut(command.message);
  switch (command.outcome) {
    case 'succeeded':
      return { type: 'ActionSucceeded', v: 1, data: { index, attempt, workerId, seconds, finishedAt, message } };
    case 'failed': {
      const { exitCode, reason } = command;
      const data = { index, attempt, workerId, seconds, finishedAt, reason: reason ?? 'exit', exitCode, message };
      return { type: 'ActionFailed', v: 1, data };
    }
    case 'timed-out':
      return {
        type: 'ActionTimedOut',
        v: 1,
        data: { index, attempt, workerId, seconds, firedBy: 'worker', message },
      };
  }
}

/** At most 200 characters, as the original keeps; counted so that no character is cut in two. */
export function cut(message: string): string {
  const characters = Array.from(message);
  return characters.length > 200 ? `${characters.slice(0, 199).join('')}…` : message;
}
