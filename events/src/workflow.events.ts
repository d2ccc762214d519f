import type { Catalogue, Event, JsonObject } from './event';
import { actionSucceededV1 } from './upcasters/action-succeeded.v1';
import { machinesTakenV1 } from './upcasters/machines-taken.v1';
import { workflowCreatedV1 } from './upcasters/workflow-created.v1';

/** One container to run, rendered and resolved: what will run, whatever happens to its template later. */
export interface ActionSpec {
  readonly task: string;
  readonly name: string;
  readonly image: string;
  /** Seconds; never 0, an absent timeout has become the default of one hour. */
  readonly timeoutSeconds: number;
  readonly command: readonly string[];
  readonly onTimeout: readonly string[];
  readonly onFailure: readonly string[];
  /** The id of the hardware that runs it. */
  readonly workerId: string;
  /** `host:container[:ro]`. */
  readonly volumes: readonly string[];
  /** `KEY=value`. */
  readonly environment: readonly string[];
  /** `host` or empty. */
  readonly pid: string;
}

/** `resume` and `restart` run it again, `fail` ends it as failed, `ask` waits for a person. What `resume` adds is that the action is told. */
export type OnReboot = 'resume' | 'restart' | 'fail' | 'ask';

/** Tries after the first one. The pause before try n (from 1) is `delaySeconds * factor ** (n - 1)`, at most `maxDelaySeconds`. */
export interface RetryPolicy {
  /** How many tries may follow the first. */
  readonly limit: number;
  readonly delaySeconds: number;
  readonly factor: number;
  readonly maxDelaySeconds: number;
  /** Which exit codes are worth another try; null: every failure. */
  readonly exitCodes: readonly number[] | null;
  /** Whether a timeout is worth another try. */
  readonly onTimeout: boolean;
}

/** How an action fits into its workflow. */
export interface ActionPlan {
  /** Unique in the workflow: `<task>/<name>`, of a matrix `<task>[<device>]/<name>`. */
  readonly id: string;
  /** Indexes of the actions that have to end before it is decided whether this one runs. */
  readonly needs: readonly number[];
  /**
   * What its `needs` must have come to: `success`, all succeeded or were skipped; `failure`, one failed or timed out; `timeout`, one timed
   * out; `always`, anything but a cancellation.
   */
  readonly runs: 'success' | 'failure' | 'timeout' | 'always';
  /** Expression over the results and outputs of earlier actions, '' = none; docs/templates.md. */
  readonly condition: string;
  readonly retry: RetryPolicy | null;
  /** What the person who has to approve it reads; null = it needs no approval. */
  readonly approval: string | null;
  /** It destroys data: runs under a one-time permit, and never again without an explicit policy. */
  readonly destructive: boolean;
  readonly onReboot: OnReboot;
  /** Environment variable → name of the secret that its worker puts there. The value is in no event. */
  readonly secrets: Readonly<Record<string, string>>;
}

export type PlannedAction = ActionSpec & { readonly plan: ActionPlan };

/** v1 knew a plain list of actions, one after the other. */
export type WorkflowCreated = Event<
  'WorkflowCreated',
  2,
  {
    templateId: string;
    templateName: string;
    /** Commit number of the template that was rendered. */
    templateVersion: number;
    /** Device name → MAC or IPv4 address, as given. */
    devices: Readonly<Record<string, string>>;
    /** Seconds from the start of the first action; 0 = no limit. */
    globalTimeoutSeconds: number;
    actions: readonly PlannedAction[];
    /** The workflow that this one repeats; `from`: index of the action that it begins with, 0 for a plain copy. */
    origin: { readonly workflowId: string; readonly from: number } | null;
  }
>;

/** `attempt` counts the starts of one action from 1; a worker that begins again after a reboot starts the next attempt. */
interface ActionAttempt {
  readonly index: number;
  readonly attempt: number;
  readonly workerId: string;
}

/** `startedAt`, `finishedAt`: the worker's clock, ISO 8601. */
/** `bootId`: changes with every start of the machine's kernel, so an action begun before a reboot is recognised. */
export type ActionStarted = Event<'ActionStarted', 1, ActionAttempt & { bootId: string; startedAt: string }>;
/** `outputs`: a small JSON object for the conditions and settings of later actions. v1 knew none. */
export type ActionSucceeded = Event<
  'ActionSucceeded',
  2,
  ActionAttempt & { seconds: number; finishedAt: string; message: string; outputs: JsonObject }
>;

export type FailureReason = 'exit' | 'pull' | 'create' | 'start' | 'engine' | 'refused' | 'unknown-outcome';
/** A failed action is a fact like any other. `exitCode` is null when no container ran to its end. */
export type ActionFailed = Event<
  'ActionFailed',
  1,
  ActionAttempt & {
    seconds: number;
    finishedAt: string;
    reason: FailureReason;
    exitCode: number | null;
    message: string;
  }
>;
/** `firedBy`: the worker stopped the container, or the server gave up waiting for a worker that no longer reports. */
export type ActionTimedOut = Event<
  'ActionTimedOut',
  1,
  ActionAttempt & { seconds: number; firedBy: 'worker' | 'server'; message: string }
>;

/** A try ended badly and another one follows, not before `retryAt` (the server's clock). The action is not failed by it. */
export type ActionAttemptFailed = Event<
  'ActionAttemptFailed',
  1,
  ActionAttempt & {
    seconds: number;
    outcome: 'failed' | 'timed-out';
    reason: FailureReason | null;
    exitCode: number | null;
    message: string;
    retryAt: string;
  }
>;
/** `condition`: its `if` was not true; `operator`: a person skipped it, for this reason. Later actions take it for done. */
export type ActionSkipped = Event<'ActionSkipped', 1, { index: number; by: 'condition' | 'operator'; reason: string }>;
/** It succeeded in the workflow that this one repeats. */
export type ActionInherited = Event<
  'ActionInherited',
  1,
  { index: number; workflowId: string; seconds: number; outputs: JsonObject }
>;
/** Everything that it needs is there but a person's consent. `message`: what that person should read. */
export type ActionApprovalRequested = Event<'ActionApprovalRequested', 1, { index: number; message: string }>;
export type ActionApproved = Event<'ActionApproved', 1, { index: number; reason: string }>;
/** Counts as a failure of the action. */
export type ActionRejected = Event<'ActionRejected', 1, { index: number; reason: string }>;
/**
 * Its worker was started anew while the action ran: nobody knows what it has done. `bootId`: of the new boot. A policy or a person decides.
 */
export type ActionOutcomeUnknown = Event<
  'ActionOutcomeUnknown',
  1,
  ActionAttempt & { bootId: string; seconds: number; message: string }
>;
export type ActionOutcomeResolved = Event<
  'ActionOutcomeResolved',
  1,
  {
    index: number;
    attempt: number;
    as: 'succeeded' | 'failed' | 'restart' | 'resume';
    by: 'policy' | 'operator';
    reason: string;
  }
>;
/**
 * The one permission to run this attempt of a destructive action: for this boot of this machine with these disks (serial numbers), once,
 * before `expiresAt`. `nonce`: made by the worker, so that a lost answer can be asked for again and by nobody else.
 */
export type ActionPermitGranted = Event<
  'ActionPermitGranted',
  1,
  ActionAttempt & { bootId: string; nonce: string; disks: readonly string[]; expiresAt: string }
>;
/** The container was stopped because the workflow is cancelled; `confirmed`: by its worker, else the server gave up waiting for it. */
export type ActionCancelled = Event<
  'ActionCancelled',
  1,
  ActionAttempt & { seconds: number; confirmed: boolean; message: string }
>;

/** Result of an action's `on-failure` or `on-timeout` command. Comes after the workflow ended and does not change its state. */
export type ActionHandlerFinished = Event<
  'ActionHandlerFinished',
  1,
  ActionAttempt & {
    handler: 'on-failure' | 'on-timeout';
    exitCode: number | null;
    seconds: number;
    message: string;
  }
>;

/** The global timeout passed. Ends the workflow; a running action is stopped by its worker. */
export type WorkflowTimedOut = Event<'WorkflowTimedOut', 1, { globalTimeoutSeconds: number; index: number | null }>;

/** The text itself lies in the blob bucket under its SHA-256; `size` in bytes. */
export type WorkflowDataUpdated = Event<
  'WorkflowDataUpdated',
  1,
  {
    version: number;
    sha256: string;
    size: number;
    workerId: string;
    task: string;
    action: string;
  }
>;
export type WorkflowDeleted = Event<'WorkflowDeleted', 1, Record<string, never>>;
/** No further action starts until it is resumed; what runs goes on. */
export type WorkflowPaused = Event<'WorkflowPaused', 1, { reason: string }>;
export type WorkflowResumed = Event<'WorkflowResumed', 1, { reason: string }>;
/** No further action starts and what runs is stopped. */
export type WorkflowCancelRequested = Event<'WorkflowCancelRequested', 1, { reason: string }>;
/** For ever. `index`: the action that it ended with, when one is to blame. */
export type WorkflowFinished = Event<
  'WorkflowFinished',
  1,
  { status: 'success' | 'failed' | 'timeout' | 'cancelled'; index: number | null; reason: string }
>;
/**
 * It keeps these machines until it needs them no more; stored before the first action of a workflow over several machines is handed out:
 * `index`, null in v1, which did not say. No machines: nothing was taken, and whatever was decided on the state before can no longer be
 * stored.
 */
export type MachinesTaken = Event<'MachinesTaken', 2, { workerIds: readonly string[]; index: number | null }>;
/** It is late and nothing is decided by that. `workerId`: whose machine is waited for. */
export type WorkflowDelayed = Event<
  'WorkflowDelayed',
  1,
  {
    cause: 'machine-never-booted' | 'worker-never-showed-up' | 'worker-silent';
    workerId: string;
    afterSeconds: number;
    message: string;
  }
>;
/** A worker reported what a rule refuses: too late, out of order, not its own. It changed nothing. `code`: as in docs/api.md. */
export type ReportRefused = Event<
  'ReportRefused',
  1,
  {
    kind: string;
    index: number;
    attempt: number;
    workerId: string;
    outcome: string | null;
    code: string;
    message: string;
  }
>;

export type WorkflowEvent =
  | WorkflowCreated
  | ActionStarted
  | ActionSucceeded
  | ActionFailed
  | ActionTimedOut
  | ActionAttemptFailed
  | ActionSkipped
  | ActionInherited
  | ActionApprovalRequested
  | ActionApproved
  | ActionRejected
  | ActionOutcomeUnknown
  | ActionOutcomeResolved
  | ActionPermitGranted
  | ActionCancelled
  | ActionHandlerFinished
  | WorkflowTimedOut
  | WorkflowDataUpdated
  | WorkflowDeleted
  | WorkflowPaused
  | WorkflowResumed
  | WorkflowCancelRequested
  | WorkflowFinished
  | MachinesTaken
  | WorkflowDelayed
  | ReportRefused;

export const workflowCatalogue = {
  WorkflowCreated: { version: 2, upcast: { 1: workflowCreatedV1 } },
  ActionStarted: { version: 1 },
  ActionSucceeded: { version: 2, upcast: { 1: actionSucceededV1 } },
  ActionFailed: { version: 1 },
  ActionTimedOut: { version: 1 },
  ActionAttemptFailed: { version: 1 },
  ActionSkipped: { version: 1 },
  ActionInherited: { version: 1 },
  ActionApprovalRequested: { version: 1 },
  ActionApproved: { version: 1 },
  ActionRejected: { version: 1 },
  ActionOutcomeUnknown: { version: 1 },
  ActionOutcomeResolved: { version: 1 },
  ActionPermitGranted: { version: 1 },
  ActionCancelled: { version: 1 },
  ActionHandlerFinished: { version: 1 },
  WorkflowTimedOut: { version: 1 },
  WorkflowDataUpdated: { version: 1 },
  WorkflowDeleted: { version: 1 },
  WorkflowPaused: { version: 1 },
  WorkflowResumed: { version: 1 },
  WorkflowCancelRequested: { version: 1 },
  WorkflowFinished: { version: 1 },
  MachinesTaken: { version: 2, upcast: { 1: machinesTakenV1 } },
  WorkflowDelayed: { version: 1 },
  ReportRefused: { version: 1 },
} satisfies Catalogue<WorkflowEvent>;
