import type { Aggregate, Event, Recorded } from '@tinkerbell/events';

/** A fold with a key: log → rows. Never throws on an event it does not know; takes values from the event rather than counting. */
export interface Projection<E extends Event, Row> {
  readonly name: string;
  /** Raise to have the rows built anew from the start of the log. */
  readonly version: number;
  /**
   * Earlier versions whose rows and lookups today's code can read and go on with: they are served while the new ones are built beside
   * them. Of any other version nothing is served, and the start waits for the new rows.
   */
  readonly continues?: readonly number[];
  readonly aggregates: readonly Aggregate[];
  /** Which row the event touches; undefined: none. */
  key(recorded: Recorded<E>): string | undefined;
  /** The row after the event; undefined removes it. */
  evolve(row: Row | undefined, recorded: Recorded<E>): Row | undefined;
  /** Further keys to find the row by, e.g. `mac:52-54-00-00-00-01`; several rows may share one. */
  lookups?(row: Row): readonly string[];
  /** Queues in which the row stands: lookups whose rows have an order of their own. */
  queues?(row: Row): readonly QueueEntry[];
  /** What lists need to know of the row beside its JSON, if anything; stored beside it. */
  brief?(row: Row): object | undefined;
}

export interface QueueEntry {
  readonly queue: string;
  /** Rows with a lower one stand before it. */
  readonly rank: number;
}

/** The row has seen a later commit: this event is delivered again. Events of the row's own last commit are applied again, with the same result. */
export function isStale(row: { readonly position: number } | undefined, { position }: Recorded): boolean {
  return row !== undefined && position < row.position;
}
