import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { DelaySeconds, DurationRow, Usual } from '@tinkerbell/projections';

/** What an explanation is made of. */
export interface Evidence {
  /** What was recorded about the machines, workflows and templates concerned, in log order. */
  readonly events: readonly Recorded<AnyEvent>[];
  /** ISO 8601. */
  readonly now: string;
  /** How long things took before, by `durationKeys`. */
  readonly duration: (key: string) => DurationRow | undefined;
  /** Seconds that the server waits for a worker beyond the timeout of its action. */
  readonly graceSeconds: number;
  /** Seconds that a worker has to stop what runs of a workflow that is cancelled, before the server gives it up. */
  readonly cancelGraceSeconds: number;
  /** After which a workflow is recorded as late; absent: that is not known here. */
  readonly delaySeconds?: DelaySeconds;
}

/** One cause: an event, told. */
export interface Cause {
  readonly at: string;
  readonly position: number;
  readonly aggregate: string;
  readonly aggregateId: string;
  readonly type: string;
  readonly text: string;
}

export interface Waiting {
  readonly text: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface Expectation {
  readonly text: string;
  /** ISO 8601: at the latest. Null: there is no limit. */
  readonly by: string | null;
  /** ISO 8601: when it began; null when it has not. */
  readonly since: string | null;
  /** Seconds that it usually takes; null when it never happened before. */
  readonly usual: Usual | null;
}

export interface Explanation {
  readonly kind: 'machine' | 'workflow';
  readonly id: string;
  /** ISO 8601: the moment that it is about. */
  readonly at: string;
  /** Of the last event that it takes into account. */
  readonly position: number;
  readonly state: string;
  /** Oldest first. */
  readonly causes: readonly Cause[];
  readonly waiting: Waiting | null;
  /** What ends first comes first, what has no limit last. */
  readonly expected: readonly Expectation[];
}
