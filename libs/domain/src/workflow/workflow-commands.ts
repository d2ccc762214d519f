import type {
  ActionFailed,
  ActionHandlerFinished,
  ActionInherited,
  ActionPermitGranted,
  ActionStarted,
  JsonObject,
  ReportRefused,
  WorkflowCreated,
  WorkflowDelayed,
} from '@tinkerbell/events';

/** Every report names the action by its index and the attempt by its number, as they were assigned. */
export type WorkflowCommand =
  | CreateWorkflow
  | ({ readonly type: 'StartAction' } & ActionStarted['data'])
  | FinishAction
  | ({ readonly type: 'FinishHandler' } & ActionHandlerFinished['data'])
  | ({ readonly type: 'GrantPermit' } & ActionPermitGranted['data'])
  /** The server's own deadline for an action passed and its worker has not reported the end of it, or that it began. */
  | {
      readonly type: 'ExpireAction';
      readonly index: number;
      readonly attempt: number;
      readonly seconds: number;
      readonly message: string;
    }
  /** The worker has not confirmed in time that it stopped the action. */
  | {
      readonly type: 'ExpireCancel';
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
  /** Before the first action of it is handed out, which is `index`. */
  | { readonly type: 'TakeMachines'; readonly index: number }
  /** A commit that changes nothing: whatever was decided on the state before it can no longer be appended. */
  | { readonly type: 'FenceWorkflow' }
  | ({ readonly type: 'RecordDelay' } & WorkflowDelayed['data'])
  | ({ readonly type: 'RecordRefusal' } & ReportRefused['data'])
  | OperatorCommand
  | { readonly type: 'DeleteWorkflow' };

export type CreateWorkflow = { readonly type: 'CreateWorkflow' } & WorkflowCreated['data'] & {
    /** What succeeded in the workflow that this one repeats and is not to be done again. Absent: nothing. */
    readonly inherited?: readonly ActionInherited['data'][];
    /** Its ephemeral data. Absent: none. */
    readonly data?: { readonly sha256: string; readonly size: number };
  };

/** What a person decides. `reason` is for the record. */
export type OperatorCommand =
  | { readonly type: 'CancelWorkflow'; readonly reason: string }
  | { readonly type: 'PauseWorkflow'; readonly reason: string }
  | { readonly type: 'ResumeWorkflow'; readonly reason: string }
  | { readonly type: 'ApproveAction'; readonly index: number; readonly reason: string }
  | { readonly type: 'RejectAction'; readonly index: number; readonly reason: string }
  | { readonly type: 'SkipAction'; readonly index: number; readonly reason: string }
  | {
      readonly type: 'ResolveOutcome';
      readonly index: number;
      readonly as: 'succeeded' | 'failed' | 'restart' | 'resume';
      readonly reason: string;
    };

export interface FinishAction extends Pick<
  ActionFailed['data'],
  'index' | 'attempt' | 'workerId' | 'seconds' | 'finishedAt' | 'message'
> {
  readonly type: 'FinishAction';
  readonly outcome: 'succeeded' | 'failed' | 'timed-out' | 'cancelled';
  /** Of a failure. */
  readonly reason: ActionFailed['data']['reason'] | null;
  readonly exitCode: number | null;
  /** The fencing token; absent: not checked. */
  readonly bootId?: string;
  readonly outputs?: JsonObject;
  /** The server's clock, ISO 8601: a further try is counted from then. Absent: from `finishedAt`. */
  readonly now?: string;
}

/** At most 200 characters, as the original keeps; counted so that no character is cut in two. */
export function cut(message: string): string {
  const characters = Array.from(message);
  return characters.length > 200 ? `${characters.slice(0, 199).join('')}…` : message;
}
