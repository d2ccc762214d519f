import type { Catalogue, Event } from './event';

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

export type WorkflowCreated = Event<
  'WorkflowCreated',
  1,
  {
    templateId: string;
    templateName: string;
    /** Commit number of the template that was rendered. */
    templateVersion: number;
    /** Device name → MAC or IPv4 address, as given. */
    devices: Readonly<Record<string, string>>;
    /** Seconds from the start of the first action; 0 = no limit. */
    globalTimeoutSeconds: number;
    actions: readonly ActionSpec[];
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
export type ActionSucceeded = Event<
  'ActionSucceeded',
  1,
  ActionAttempt & { seconds: number; finishedAt: string; message: string }
>;

export type FailureReason = 'exit' | 'pull' | 'create' | 'start' | 'engine' | 'refused' | 'unknown-outcome';
/** A failed action is a fact like any other. It ends the workflow. `exitCode` is null when no container ran to its end. */
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

export type WorkflowEvent =
  | WorkflowCreated
  | ActionStarted
  | ActionSucceeded
  | ActionFailed
  | ActionTimedOut
  | ActionHandlerFinished
  | WorkflowTimedOut
  | WorkflowDataUpdated
  | WorkflowDeleted;

export const workflowCatalogue = {
  WorkflowCreated: { version: 1 },
  ActionStarted: { version: 1 },
  ActionSucceeded: { version: 1 },
  ActionFailed: { version: 1 },
  ActionTimedOut: { version: 1 },
  ActionHandlerFinished: { version: 1 },
  WorkflowTimedOut: { version: 1 },
  WorkflowDataUpdated: { version: 1 },
  WorkflowDeleted: { version: 1 },
} satisfies Catalogue<WorkflowEvent>;
