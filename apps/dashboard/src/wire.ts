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
  readonly state: 'bound' | 'released' | 'declined';
  readonly expiresAt: string;
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

export interface ActionView {
  readonly task: string;
  readonly name: string;
  readonly image: string;
  readonly workerId: string;
  readonly timeoutSeconds: number;
  readonly status: Status;
  readonly attempt: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly seconds: number | null;
  readonly exitCode: number | null;
  readonly reason: string | null;
  readonly message: string;
  readonly handler: {
    readonly handler: 'on-failure' | 'on-timeout';
    readonly exitCode: number | null;
    readonly seconds: number;
    readonly message: string;
  } | null;
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
  /** What happened, for people, without naming the subject. */
  readonly text: string;
  /** The machine, workflow or template that it happened to. */
  readonly subject: string;
  readonly tone: Tone;
}

export interface Snapshot {
  readonly machines: readonly MachineView[];
  readonly workflows: readonly WorkflowView[];
  /** Oldest first. */
  readonly events: readonly EventView[];
}

export interface Change {
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
