import type { Event, Metadata, Recorded } from '@tinkerbell/events';
import type { Kept } from './envelope';

/** Where a stream stands. A stream without commits has position 0, version 0 and an empty hash. */
export interface StreamHead {
  /** Log position of its last commit: the concurrency token. */
  readonly position: number;
  /** Number of its commits. */
  readonly version: number;
  /** SHA-256 (hex) of its last commit's bytes: `prev` of the next. */
  readonly hash: string;
}

export const emptyHead: StreamHead = { position: 0, version: 0, hash: '' };

export interface History<E extends Event = Event> {
  readonly events: readonly Recorded<E>[];
  readonly head: StreamHead;
}

/** One message of the log: the events that one decision made, all or nothing. */
export interface Commit {
  readonly stream: string;
  readonly position: number;
  readonly version: number;
  readonly at: string;
  readonly metadata: Metadata;
  readonly events: readonly Recorded[];
  /** Of the previous commit of the stream, as the writer saw it, and of this one. */
  readonly prev: string;
  readonly hash: string;
}

export interface Appended {
  readonly head: StreamHead;
  /** The command had been appended before; nothing was stored now. */
  readonly duplicate: boolean;
  /** Size of the commit, when it was stored now. */
  readonly bytes?: number;
}

export interface SubscribeOptions {
  /** Deliver commits after this position; 0 = from the start. */
  readonly after: number;
  /** Subject filters, e.g. `subjects.eventsOf('workflow')`; none = the whole log. */
  readonly filters?: readonly string[];
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** The log. Type and injection token in one. */
export abstract class EventStore {
  /**
   * The commits of one stream, all or those after a head, verified; and where the stream stands. Throws IntegrityError on a hole or a
   * changed commit.
   */
  abstract read<E extends Event>(stream: string, after?: StreamHead): Promise<History<E>>;
  /** The last commit of a stream only, in a time that does not depend on how long the stream is; its chain is not verified. */
  abstract last<E extends Event>(stream: string): Promise<History<E>>;
  /**
   * Stores one commit, or nothing. Resolves only when it is durable. An empty list of events appends nothing.
   * Throws ConcurrencyError when the stream is not where `expected` says, StoreUnavailableError when it cannot be known or done.
   */
  abstract append(
    stream: string,
    events: readonly Event[],
    options: { readonly expected: StreamHead; readonly metadata: Metadata },
  ): Promise<Appended>;
  /** Commits in log order: first the stored ones, then new ones as they come, across reconnections, until aborted. */
  abstract subscribe(options: SubscribeOptions): AsyncIterable<Commit>;
  /** As `subscribe`, byte for byte as stored and unchecked: for the audit, which must also see what is damaged. */
  abstract messages(options: SubscribeOptions): AsyncIterable<Kept>;
  /** Position of the newest commit in the log, or among those that a subject filter lets through; 0 when there is none. */
  abstract lastPosition(filter?: string): Promise<number>;
  /**
   * Position of the last commit that was stored at or before `time`, milliseconds since 1970; 0 when the log is empty or begins later.
   */
  abstract positionAt(time: number): Promise<number>;
  abstract close(): Promise<void>;
}

/** Somebody else wrote to the stream: read it again and decide again. */
export class ConcurrencyError extends Error {
  constructor(
    readonly stream: string,
    readonly expected: number,
    readonly actual: number | null,
  ) {
    super(`${stream} is at ${actual ?? 'another position'}, not at ${expected}`);
  }
}

/** A commit is missing, altered or out of order. Never ignored. */
export class IntegrityError extends Error {
  constructor(
    readonly stream: string,
    readonly position: number,
    readonly fault: string,
  ) {
    super(`${stream} at ${position}: ${fault}`);
  }
}

/** The log cannot be reached, has no room left, or did not answer in time. Nothing is known to be stored; the same command may be sent again. */
export class StoreUnavailableError extends Error {}

/** One decision made more events than one message of the log may hold. */
export class CommitTooLargeError extends Error {
  constructor(
    readonly stream: string,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(`${stream}: a commit of ${bytes} bytes is larger than the ${limit} that the log takes`);
  }
}

/** A command id is unique in the whole log; this one belongs to a commit of another stream. */
export class CommandIdReusedError extends Error {
  constructor(
    readonly commandId: string,
    readonly stream: string,
    readonly usedBy: string,
  ) {
    super(`command id ${commandId} for ${stream} was used before, for ${usedBy}`);
  }
}
