import type { Database, Statement } from 'better-sqlite3';
import { decodeEvent, type Event, type Recorded } from '@tinkerbell/events';
import { addDuration, type DurationRow, type Measures, type Projection } from '@tinkerbell/projections';
import type { ListOptions, Place } from './read-model';
import { briefOf, type RankChanges, RowIndex } from './projection-index';

/** Every so many commits of a stream the row is kept with the event, so that no row is folded from further back. */
const snapshotEvery = 32;
/** Until when the row has what it has now. */
const noEnd = Number.MAX_SAFE_INTEGER;

/** `measures` may be none. */
export interface HistoryOptions<Row> {
  readonly measures?: Measures<Row> | undefined;
}

/** One event of a row. */
export interface Step<Row> {
  readonly key: string;
  readonly recorded: Recorded;
  readonly before: Row | undefined;
  readonly after: Row | undefined;
  /** Between the two. */
  readonly ranks: RankChanges;
}

/** Key, position, index, the recorded event, the row after it. */
type EventValues = [key: string, position: number, index: number, recorded: string, row: string | null];

/** A row gets a lookup, or loses it: then without a rank. In the order of the events. */
interface LookupChange {
  readonly lookup: string;
  readonly key: string;
  readonly position: number;
  readonly rank: number | undefined;
}

const byKey = ([a]: EventValues, [b]: EventValues) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * What was recorded about each row of one set of rows, beside them in the same file and the same transactions. A row as it was is the fold
 * of that, up to a position.
 */
export class HistoryTables<E extends Event, Row> {
  readonly #projection: Projection<E, Row>;
  readonly #measures: Measures<Row> | undefined;
  readonly #sql: ReturnType<typeof statements>;
  readonly #index: RowIndex<{ readonly key: string }>;
  // Since the last write.
  #firsts = new Map<string, number>();
  #events: EventValues[] = [];
  #lookups: LookupChange[] = [];
  #durations = new Map<string, DurationRow>();

  /** `id`: of the set of rows. */
  constructor(db: Database, projection: Projection<E, Row>, id: number, { measures }: HistoryOptions<Row>) {
    this.#projection = projection;
    this.#measures = measures;
    const name = `${projection.name.replaceAll('-', '_')}_${id}`;
    db.exec(`
      CREATE TABLE IF NOT EXISTS past_keys_${name} (key TEXT PRIMARY KEY, first INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS past_events_${name} (key TEXT, position INTEGER, idx INTEGER, recorded TEXT NOT NULL, row TEXT,
        PRIMARY KEY (key, position, idx)) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS past_events_${name}_position ON past_events_${name} (position);
      CREATE TABLE IF NOT EXISTS past_lookups_${name} (lookup TEXT, key TEXT, since INTEGER, until INTEGER NOT NULL, rank INTEGER NOT NULL,
        PRIMARY KEY (lookup, key, since)) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS past_durations_${name} (key TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;`);
    this.#sql = statements(db, name);
    this.#index = new RowIndex(db, {
      ...{ keys: `past_keys_${name}`, columns: 'r.key', lookups: `past_lookups_${name}` },
      valid: {
        keys: 'AND r.first <= @at',
        lookups: (table) => `AND ${table}.since <= @at AND ${table}.until > @at`,
      },
    });
  }

  /** Takes in every event that has a key, all of them or, when it throws, none. */
  fold(steps: readonly Step<Row>[]): void {
    const durations = new Map<string, DurationRow>();
    for (const { before, after, recorded } of steps) {
      for (const { key, seconds } of this.#measures?.(before, after, recorded) ?? []) {
        const known = durations.get(key) ?? this.#durations.get(key) ?? this.duration(key);
        durations.set(key, addDuration(known, seconds));
      }
    }
    for (const [key, row] of durations) this.#durations.set(key, row);
    for (const step of steps) this.#add(step);
  }

  /** Something was folded and is not written yet. */
  get hasNews(): boolean {
    return this.#events.length > 0;
  }

  #add({ key, recorded, after, ranks: { gone, put } }: Step<Row>): void {
    const { position, index, version } = recorded;
    const snapshot = version % snapshotEvery === 0 && after !== undefined ? JSON.stringify(after) : null;
    if (!this.#firsts.has(key)) this.#firsts.set(key, position);
    this.#events.push([key, position, index, JSON.stringify(recorded), snapshot]);
    for (const lookup of gone) this.#lookups.push({ lookup, key, position, rank: undefined });
    for (const [lookup, rank] of put) this.#lookups.push({ lookup, key, position, rank });
  }

  /** In the transaction of the rows. */
  write(): void {
    for (const [key, first] of this.#firsts) this.#sql.putKey.run(key, first);
    // The events of one key lie side by side.
    for (const event of this.#events.sort(byKey)) this.#sql.putEvent.run(...event);
    for (const { lookup, key, position, rank } of this.#lookups) {
      if (rank === undefined) this.#sql.endLookup.run(position, lookup, key, noEnd);
      else this.#sql.putLookup.run(lookup, key, position, noEnd, rank);
    }
    for (const [key, row] of this.#durations) this.#sql.putDuration.run(key, JSON.stringify(row));
  }

  written(): void {
    this.#firsts = new Map();
    this.#events = [];
    this.#lookups = [];
    this.#durations = new Map();
  }

  clear(): void {
    for (const statement of this.#sql.clear) statement.run();
    this.written();
  }

  /** Removes some of it; false when nothing is left. */
  removeSome(limit: number): boolean {
    return this.#sql.remove.some((statement) => statement.run(limit).changes > 0);
  }

  /** Which rows there were at a position, those too that were deleted by then, in key order. */
  keys(position: number, options: ListOptions): readonly string[] {
    return this.#index.list(options, position).map(({ key }) => key);
  }

  briefOf(row: Row): string | null {
    return briefOf(this.#projection, row);
  }

  /** Keys of rows that ever had it, in key order. */
  keysWith(lookup: string, after: string, limit: number): readonly string[] {
    return this.#sql.byLookup.all(lookup, after, limit).map(({ key }) => key);
  }

  place(position: number, queue: string, key: string): Place | undefined {
    return this.#index.place(queue, key, position);
  }

  tally(position: number, queue: string, first: number, last: number): number {
    return this.#index.tally(queue, first, last, position);
  }

  events(key: string, upTo = Number.MAX_SAFE_INTEGER): readonly Recorded[] {
    return this.#sql.events.all(key, upTo).map(({ recorded }) => parse(recorded));
  }

  keysBetween(from: number, to: number): readonly string[] {
    return this.#sql.between.all(from, to).map(({ key }) => key);
  }

  duration(key: string): DurationRow | undefined {
    const stored = this.#sql.duration.get(key);
    return stored && (JSON.parse(stored.row) as DurationRow);
  }

  rowAt(key: string, position: number): Row | undefined {
    const later: Recorded<E>[] = [];
    let row: Row | undefined;
    for (const stored of this.#sql.newest.iterate(key, position)) {
      if (stored.row !== null) {
        row = JSON.parse(stored.row) as Row;
        break;
      }
      later.push(parse(stored.recorded) as Recorded<E>);
    }
    return later.reduceRight((state, recorded) => this.#projection.evolve(state, recorded), row);
  }
}

/** `name`: of the set's tables. */
export function dropHistoryTables(db: Database, name: string): void {
  for (const part of ['keys', 'events', 'lookups', 'durations']) db.exec(`DROP TABLE IF EXISTS past_${part}_${name}`);
}

/** An event that an older release kept becomes the one of today. */
function parse(stored: string): Recorded {
  const recorded = JSON.parse(stored) as Recorded;
  return { ...recorded, event: decodeEvent(recorded.aggregate, recorded.event) };
}

interface StoredEvent {
  readonly recorded: string;
  readonly row: string | null;
}

function statements(db: Database, name: string) {
  const [keys, events] = [`past_keys_${name}`, `past_events_${name}`];
  const [lookups, durations] = [`past_lookups_${name}`, `past_durations_${name}`];
  const clear: readonly Statement<[]>[] = [keys, events, lookups, durations].map((table) =>
    db.prepare(`DELETE FROM ${table}`),
  );
  const columns = [
    [events, 'key, position, idx'],
    [lookups, 'lookup, key, since'],
    [keys, 'key'],
  ] as const;
  return {
    clear,
    remove: columns.map(([table, key]) =>
      db.prepare<[number]>(`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} LIMIT ?)`),
    ),
    putKey: db.prepare<[string, number]>(`INSERT INTO ${keys} VALUES (?, ?) ON CONFLICT (key) DO NOTHING`),
    putEvent: db.prepare<EventValues>(`INSERT INTO ${events} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    // Several events of one commit may give it, take it and give it again.
    putLookup: db.prepare<[string, string, number, number, number]>(
      `INSERT OR REPLACE INTO ${lookups} VALUES (?, ?, ?, ?, ?)`,
    ),
    endLookup: db.prepare<[number, string, string, number]>(
      `UPDATE ${lookups} SET until = ? WHERE lookup = ? AND key = ? AND until = ?`,
    ),
    putDuration: db.prepare<[string, string]>(
      `INSERT INTO ${durations} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET row = excluded.row`,
    ),
    byLookup: db.prepare<[string, string, number], { key: string }>(
      `SELECT DISTINCT key FROM ${lookups} WHERE lookup = ? AND key > ? ORDER BY key LIMIT ?`,
    ),
    newest: db.prepare<[string, number], StoredEvent>(
      `SELECT recorded, row FROM ${events} WHERE key = ? AND position <= ? ORDER BY position DESC, idx DESC`,
    ),
    events: db.prepare<[string, number], StoredEvent>(
      `SELECT recorded, row FROM ${events} WHERE key = ? AND position <= ? ORDER BY position, idx`,
    ),
    between: db.prepare<[number, number], { key: string }>(
      `SELECT DISTINCT key FROM ${events} WHERE position > ? AND position <= ? ORDER BY key`,
    ),
    duration: db.prepare<[string], { row: string }>(`SELECT row FROM ${durations} WHERE key = ?`),
  };
}
