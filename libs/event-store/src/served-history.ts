import type { Event, Recorded } from '@tinkerbell/events';
import type { DurationRow } from '@tinkerbell/projections';
import type { HistoryTables } from './projection-history';
import type { ListOptions, ReadModel } from './read-model';
import type { RowHistory } from './row-history';

/** Keys that are looked at together. */
const chunk = 64;

/** The past of the rows that are served, whichever set of them that is: every read asks anew, so a swap in between does not matter. */
export class ServedHistory<Row> implements RowHistory<Row> {
  constructor(private readonly served: () => HistoryTables<Event, Row>) {}

  at(position: number): ReadModel<Row> {
    return new PastRows(this.served, position);
  }

  events(key: string, upTo?: number): readonly Recorded[] {
    return this.served().events(key, upTo);
  }

  keysWith(lookup: string): readonly string[] {
    return this.served().keysWith(lookup, '', -1);
  }

  keysBetween(from: number, to: number): readonly string[] {
    return this.served().keysBetween(from, to);
  }

  duration(key: string): DurationRow | undefined {
    return this.served().duration(key);
  }
}

class PastRows<Row> implements ReadModel<Row> {
  constructor(
    private readonly served: () => HistoryTables<Event, Row>,
    private readonly position: number,
  ) {}

  get(key: string): Row | undefined {
    return this.served().rowAt(key, this.position);
  }

  find(lookup: string): Row | undefined {
    return this.list({ lookup, limit: 1 })[0];
  }

  findAll(lookup: string): readonly Row[] {
    return this.list({ lookup });
  }

  list({ after = '', limit = -1, lookup }: ListOptions = {}): readonly Row[] {
    const rows: Row[] = [];
    if (limit === 0) return rows;
    for (const row of this.#rows(after, lookup)) if (rows.push(row) === limit) break;
    return rows;
  }

  count(): number {
    return this.list().length;
  }

  onChange(): () => void {
    return () => undefined;
  }

  /** Of a lookup the tables know every row that ever had it: those that had it then. */
  *#rows(after: string, lookup: string | undefined): Generator<Row> {
    for (let from = after; ;) {
      const keys =
        lookup === undefined
          ? this.served().keys(from, this.position, chunk)
          : this.served().keysWith(lookup, from, chunk);
      for (const key of keys) {
        const row = this.get(key);
        if (row !== undefined && (lookup === undefined || this.served().lookupsOf(row).includes(lookup))) yield row;
        from = key;
      }
      if (keys.length < chunk) return;
    }
  }
}
