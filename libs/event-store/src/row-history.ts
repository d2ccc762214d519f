import type { Recorded } from '@tinkerbell/events';
import type { DurationRow } from '@tinkerbell/projections';
import type { StoredRows } from './read-model';

/** The rows of one projection as they were at any position of the log. All reads are synchronous and local. */
export interface RowHistory<Row> {
  /** The rows of a projection that stopped there. Nothing changes in them: `onChange` never calls back. */
  at(position: number): StoredRows<Row>;
  /** Everything that was recorded about the row with this key, deleted or not, in log order; up to a position, or all of it. */
  events(key: string, upTo?: number): readonly Recorded[];
  /** Keys of the rows that ever had this lookup, deleted or not. In key order. */
  keysWith(lookup: string): readonly string[];
  /** Keys of the rows that something was recorded about after `from`, up to and with `to`. In key order. */
  keysBetween(from: number, to: number): readonly string[];
  /** How long a thing took, whenever it was measured. */
  duration(key: string): DurationRow | undefined;
}
