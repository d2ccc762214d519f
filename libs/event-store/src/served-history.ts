import type { Event, Recorded } from '@tinkerbell/events';
import type { DurationRow } from '@tinkerbell/projections';
import type { HistoryTables } from './projection-history';
import type { Entry, ListOptions, Place, StoredRows } from './read-model';
import type { RowHistory } from './row-history';

/** Keys that are looked at together. */
const chunk = 64;

/** The past of the rows that are served, whichever set of them that is: every read asks anew, so a swap in between does not matter. */
export class ServedHistory<Row> implements RowHistory<Row> {
  constructor(private readonly served: () => HistoryTables<Event, Row>) {}

  at(position: number): StoredRows<Row> {
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

class PastRows<Row> implements StoredRows<Row> {
  constructor(
    private readonly served: () => HistoryTables<Event, Row>,
    private readonly position: number,
  ) {}

  get(key: string): Row | undefined {
    return this.served().rowAt(key, this.position);
  }

  find(lookup: string): Row | undefined {
    return this.list({ lookups: [lookup], limit: 1 })[0];
  }

  findAll(lookup: string): readonly Row[] {
    return this.list({ lookups: [lookup] });
  }

  list(options: ListOptions = {}): readonly Row[] {
    return this.entries(options).map(({ row }) => row);
  }

  entry(key: string): Entry<Row> | undefined {
    const row = this.get(key);
    return row === undefined ? undefined : this.#entryOf(key, row);
  }

  entries({ after = '', limit = -1, ...which }: ListOptions = {}): readonly Entry<Row>[] {
    const entries: Entry<Row>[] = [];
    for (let from = after; entries.length !== limit;) {
      const wanted = limit < 0 ? chunk : limit - entries.length;
      const found = this.served().keys(this.position, { ...which, after: from, limit: wanted });
      for (const key of found) {
        const row = this.get(key);
        // What was deleted by then may have no row.
        if (row !== undefined) entries.push(this.#entryOf(key, row));
        from = key;
      }
      if (found.length < wanted) break;
    }
    return entries;
  }

  place(queue: string, key: string): Place | undefined {
    return this.served().place(this.position, queue, key);
  }

  tally(queue: string, first: number, last: number): number {
    return this.served().tally(this.position, queue, first, last);
  }

  count(): number {
    return this.list().length;
  }

  onChange(): () => void {
    return () => undefined;
  }

  #entryOf(key: string, row: Row): Entry<Row> {
    return { key, row, json: JSON.stringify(row), brief: this.served().briefOf(row) };
  }
}
