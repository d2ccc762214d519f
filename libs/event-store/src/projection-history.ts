import type { Database, Statement } from 'better-sqlite3';
import { decodeEvent, type Event, type Recorded } from '@tinkerbell/events';
import { addDuration, type DurationRow, type Measures, type Projection } from '@tinkerbell/projections';
import type { ReadModel } from './read-model';
import type { RowHistory } from './row-history';

/** Every so many commits of a stream the row is kept with the event, so that no row is folded from further back. */
const snapshotEvery = 32;
/** Keys that are looked at together. */
const chunk = 64;

/** `measures` may be none. */
export interface HistoryOptions<Row> {
  readonly measures?: Measures<Row> | undefined;
}

/**
 * What was recorded about each row of one projection, beside its rows in the same file and the same transactions. A row as it was is the
 * fold of that, up to a position.
 */
export class HistoryTables<E extends Event, Row> implements RowHistory<Row> {
  /** Position up to which it is complete. */
  position: number;
  readonly #db: Database;
  readonly #projection: Projection<E, Row>;
  readonly #measures: Measures<Row> | undefined;
  readonly #sql: ReturnType<typeof statements>;
  readonly #checkpointName: string;
  #durations = new Map<string, DurationRow>();

  constructor(db: Database, projection: Projection<E, Row>, { measures }: HistoryOptions<Row>) {
    this.#db = db;
    this.#projection = projection;
    this.#measures = measures;
    const name = `${projection.name.replaceAll('-', '_')}_v${projection.version}`;
    db.exec(`
      CREATE TABLE IF NOT EXISTS past_keys_${name} (key TEXT PRIMARY KEY, first INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS past_events_${name} (key TEXT, position INTEGER, idx INTEGER, recorded TEXT NOT NULL, row TEXT,
        PRIMARY KEY (key, position, idx)) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS past_events_${name}_position ON past_events_${name} (position);
      CREATE TABLE IF NOT EXISTS past_lookups_${name} (lookup TEXT, key TEXT, PRIMARY KEY (lookup, key)) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS past_durations_${name} (key TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;`);
    this.#sql = statements(db, name);
    this.#checkpointName = `${projection.name}+past`;
    this.position =
      db
        .prepare<[string, number], { position: number }>(
          'SELECT position FROM projections WHERE name = ? AND version = ?',
        )
        .get(this.#checkpointName, projection.version)?.position ?? 0;
  }

  /** Call inside a transaction, for every event that has the key. */
  add(key: string, recorded: Recorded, before: Row | undefined, after: Row | undefined): void {
    const { position, index, version } = recorded;
    const snapshot = version % snapshotEvery === 0 && after !== undefined ? JSON.stringify(after) : null;
    this.#sql.putKey.run(key, position);
    this.#sql.putEvent.run(key, position, index, JSON.stringify(recorded), snapshot);
    if (after !== undefined && after !== before) {
      for (const lookup of this.#projection.lookups?.(after) ?? []) this.#sql.putLookup.run(lookup, key);
    }
    for (const measure of this.#measures?.(before, after, recorded) ?? []) {
      const known = this.#durations.get(measure.key) ?? this.duration(measure.key);
      this.#durations.set(measure.key, addDuration(known, measure.seconds));
    }
  }

  /** Ends a batch; in its transaction. */
  checkpoint(position: number): void {
    for (const [key, row] of this.#durations) this.#sql.putDuration.run(key, JSON.stringify(row));
    this.#durations = new Map();
    this.#sql.checkpoint.run(this.#checkpointName, this.#projection.version, position);
    this.position = position;
  }

  clear(): void {
    for (const statement of this.#sql.clear) statement.run();
    this.#durations = new Map();
    this.checkpoint(0);
  }

  /** Drops what other versions of the projection left. */
  dropOthers(): void {
    const { name, version } = this.#projection;
    const form = new RegExp(`^past_(keys|events|lookups|durations)_${name.replaceAll('-', '_')}_v(\\d+)$`);
    const tables = this.#db.prepare<[], { name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table'`).all();
    this.#db.transaction(() => {
      for (const table of tables) {
        const found = form.exec(table.name);
        if (found && Number(found[2]) !== version) this.#db.exec(`DROP TABLE ${table.name}`);
      }
      this.#db.prepare('DELETE FROM projections WHERE name = ? AND version <> ?').run(this.#checkpointName, version);
    })();
  }

  at(position: number): ReadModel<Row> {
    return new PastRows(
      position,
      (key) => this.#rowAt(key, position),
      (after, limit) => this.#sql.keys.all(after, position, limit).map(({ key }) => key),
      (lookup) => this.#sql.byLookup.all(lookup).map(({ key }) => key),
      (row) => this.#projection.lookups?.(row) ?? [],
    );
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

  #rowAt(key: string, position: number): Row | undefined {
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

/** An event that an older release kept becomes the one of today. */
function parse(stored: string): Recorded {
  const recorded = JSON.parse(stored) as Recorded;
  return { ...recorded, event: decodeEvent(recorded.aggregate, recorded.event) };
}

class PastRows<Row> implements ReadModel<Row> {
  constructor(
    readonly position: number,
    readonly get: (key: string) => Row | undefined,
    private readonly keys: (after: string, limit: number) => readonly string[],
    private readonly keysWith: (lookup: string) => readonly string[],
    private readonly lookupsOf: (row: Row) => readonly string[],
  ) {}

  find(lookup: string): Row | undefined {
    for (const row of this.having(lookup)) return row;
    return undefined;
  }

  findAll(lookup: string): readonly Row[] {
    return [...this.having(lookup)];
  }

  list({ after = '', limit = -1 }: { readonly after?: string; readonly limit?: number } = {}): readonly Row[] {
    const rows: Row[] = [];
    if (limit === 0) return rows;
    for (let from = after; ;) {
      const keys = this.keys(from, chunk);
      for (const key of keys) {
        const row = this.get(key);
        if (row !== undefined && rows.push(row) === limit) return rows;
        from = key;
      }
      if (keys.length < chunk) return rows;
    }
  }

  count(): number {
    return this.list().length;
  }

  onChange(): () => void {
    return () => undefined;
  }

  /** Rows that had it then: the tables know every row that ever had it. */
  private *having(lookup: string): Generator<Row> {
    for (const key of this.keysWith(lookup)) {
      const row = this.get(key);
      if (row !== undefined && this.lookupsOf(row).includes(lookup)) yield row;
    }
  }
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
  return {
    clear,
    putKey: db.prepare<[string, number]>(`INSERT INTO ${keys} VALUES (?, ?) ON CONFLICT (key) DO NOTHING`),
    putEvent: db.prepare<[string, number, number, string, string | null]>(
      `INSERT INTO ${events} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
    putLookup: db.prepare<[string, string]>(`INSERT INTO ${lookups} VALUES (?, ?) ON CONFLICT DO NOTHING`),
    putDuration: db.prepare<[string, string]>(
      `INSERT INTO ${durations} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET row = excluded.row`,
    ),
    checkpoint: db.prepare<[string, number, number]>(
      `INSERT INTO projections VALUES (?, ?, ?) ON CONFLICT (name, version) DO UPDATE SET position = excluded.position`,
    ),
    keys: db.prepare<[string, number, number], { key: string }>(
      `SELECT key FROM ${keys} WHERE key > ? AND first <= ? ORDER BY key LIMIT ?`,
    ),
    byLookup: db.prepare<[string], { key: string }>(`SELECT key FROM ${lookups} WHERE lookup = ? ORDER BY key`),
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
