/** What the server sends to the page; shared by both. All times are ISO 8601, MACs are `aa:bb:cc:dd:ee:ff`. */

export type Step = 'dhcp' | 'tftp' | 'http' | 'osie' | 'worker' | 'disk';
export const bootSteps: readonly Step[] = ['dhcp', 'tftp', 'http', 'osie', 'worker', 'disk'];

export interface StepView {
  readonly step: Step;
  readonly at: string;
  readonly detail: string;
}

export interface LeaseView {
  readonly ip: string;
  readonly state: 'bound' | 'released' | 'expired' | 'ended' | 'declined' | 'conflict';
  /** null: never, or it has none. */
  readonly expiresAt: string | null;
}

export interface MachineView {
  readonly id: string;
  readonly hostname: string;
  readonly mac: string;
  readonly ip: string;
  readonly step: Step | 'off';
  /** Since the last power-on, oldest first. */
  readonly steps: readonly StepView[];
  readonly bootFiles: readonly { readonly role: string; readonly file: string; readonly bytes: number }[];
  readonly lease: LeaseView | null;
  /** False: the machine was seen, its hardware record is gone. */
  readonly registered: boolean;
  readonly updatedAt: string;
}

export type Status =
  'pending' | 'awaiting-approval' | 'running' | 'unknown' | 'success' | 'failed' | 'timeout' | 'cancelled' | 'skipped';

/** `value`: a text as it is, everything else as JSON; cut when it is long. */
export interface OutputView {
  readonly key: string;
  readonly value: string;
}

export interface ActionView {
  /** Unique in its workflow. */
  readonly id: string;
  readonly task: string;
  readonly name: string;
  /** Indexes of the actions that have to end first. */
  readonly needs: readonly number[];
  /** What these must have come to. */
  readonly runs: 'success' | 'failure' | 'timeout' | 'always';
  /** Expression, '' = none. */
  readonly condition: string;
  readonly destructive: boolean;
  /** Pending, and nothing that may still happen lets it run. */
  readonly blocked: boolean;
  readonly image: string;
  readonly workerId: string;
  readonly timeoutSeconds: number;
  readonly status: Status;
  readonly attempt: number;
  /** How often it may be tried; null: no word about that. */
  readonly tries: number | null;
  /** Not to be started again before; null: no further try is due. */
  readonly retryAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly seconds: number | null;
  readonly exitCode: number | null;
  readonly reason: string | null;
  readonly message: string;
  /** What it left for later actions; of many only the first ones. */
  readonly outputs: readonly OutputView[];
  readonly moreOutputs: number;
  readonly handler: {
    readonly handler: 'on-failure' | 'on-timeout';
    readonly exitCode: number | null;
    readonly seconds: number;
    readonly message: string;
  } | null;
}

/** What there is to know of a workflow beside its actions: who has to decide something, what it waits for, what is late. */
export interface NoteView {
  readonly key: string;
  readonly text: string;
  readonly tone: 'info' | 'wait' | 'ask' | 'bad';
  readonly at: string | null;
  /** What to type about it. */
  readonly command: string | null;
}

export interface WorkflowView {
  readonly id: string;
  readonly template: string;
  readonly status: Status;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly current: number;
  readonly paused: boolean;
  readonly cancelling: boolean;
  readonly notes: readonly NoteView[];
  readonly devices: Readonly<Record<string, string>>;
  /** Hardware ids. */
  readonly machines: readonly string[];
  readonly actions: readonly ActionView[];
}

export type Tone = 'neutral' | 'good' | 'bad' | 'warn' | 'active';

export interface EventView {
  /** `<position>.<index in its commit>`. */
  readonly id: string;
  readonly at: string;
  readonly aggregate: string;
  readonly aggregateId: string;
  readonly type: string;
  readonly actor: string;
  /** What happened, for people: `tell` in @tinkerbell/history. */
  readonly text: string;
  /** The machine, workflow or template that it happened to. */
  readonly subject: string;
  readonly tone: Tone;
}

/** Addresses that boots gives out of one pool. */
export interface PoolView {
  readonly id: string;
  readonly pool: string;
  readonly subnet: string;
  readonly ranges: readonly string[];
  readonly size: number;
  readonly used: number;
  readonly quarantined: number;
  readonly free: number;
  /** Per cent of all that is not free. */
  readonly utilisation: number;
  /** Where the boots is reached that serves it; null: nobody ever did. */
  readonly servedBy: string | null;
}

/** A machine that no hardware record has: with an address, refused, or both. */
export interface StrangerView {
  /** `aa:bb:cc:dd:ee:ff`, or the client's own id. */
  readonly id: string;
  readonly hostname: string;
  readonly ip: string;
  readonly subnet: string;
  readonly expiresAt: string | null;
  /** What it was not served last, and why. */
  readonly notServed: { readonly text: string; readonly count: number; readonly at: string } | null;
}

export interface AddressesView {
  readonly pools: readonly PoolView[];
  readonly strangers: readonly StrangerView[];
  /** How many strangers with an address are not in the list. */
  readonly moreStrangers: number;
}

export interface Snapshot {
  readonly addresses: AddressesView;
  readonly machines: readonly MachineView[];
  readonly workflows: readonly WorkflowView[];
  /** Oldest first. */
  readonly events: readonly EventView[];
}

export interface Change {
  /** Only when something in it is another. */
  readonly addresses?: AddressesView;
  readonly machines: readonly MachineView[];
  readonly workflows: readonly WorkflowView[];
  readonly gone: readonly string[];
  readonly events: readonly EventView[];
}

/** Server-sent event names of `GET /api/live`: `snapshot`, `change`, `ping`; each has `now`, the server's clock. */
export interface Live<T> {
  readonly now: string;
  readonly body: T;
}

export interface OutputLine {
  /** Rises along the output of one action; the id to resume from. */
  readonly seq: number;
  readonly at: string;
  readonly stream: 'stdout' | 'stderr' | 'worker';
  readonly attempt: number;
  readonly line: string;
}
