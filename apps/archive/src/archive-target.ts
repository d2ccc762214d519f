/** What is appended. `data` and `metadata` are JSON. */
export interface TargetEvent {
  /** UUID. */
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** About what it takes, in bytes. */
  readonly bytes: number;
}

export interface LastEvent {
  readonly id: string;
  /** Number of the event in its stream, from 0. */
  readonly revision: bigint;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** Where the mirror writes: a store of streams with optimistic concurrency. */
export abstract class ArchiveTarget {
  /** The newest event of a stream, as its leader has it; undefined when there is no such stream. */
  abstract last(stream: string): Promise<LastEvent | undefined>;
  /**
   * Stores all of the events, or none; resolves with the revision of the last one. The same events at the same place again are stored
   * once. Throws RevisionConflictError, TargetRefusedError, or TargetUnavailableError when it is not known whether they are stored.
   */
  abstract append(stream: string, events: readonly TargetEvent[], expected: Expected): Promise<bigint>;
  /** Keeps only that many of a stream's newest events. */
  abstract keepLast(stream: string, count: number): Promise<void>;
  abstract close(): Promise<void>;
}

/** The revision of the last event that is there; `any` does not look. */
export type Expected = bigint | 'no-stream' | 'any';

/** The stream does not end where it was expected to. */
export class RevisionConflictError extends Error {
  constructor(
    readonly stream: string,
    readonly expected: Expected,
  ) {
    super(`${stream} in the archive does not end at ${String(expected)}`);
  }
}

/** The target cannot be reached or used now. The same may be tried again. */
export class TargetUnavailableError extends Error {}

/** The target will never take this. */
export class TargetRefusedError extends Error {}

/** What is in the target is not what this log would have put there. */
export class ArchiveMismatchError extends Error {}

/** The setting is wrong, or the client cannot be loaded. */
export class ArchiveConfigError extends Error {}
