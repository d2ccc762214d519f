import type { Database, Statement } from 'better-sqlite3';
import type { Event, Recorded } from '@tinkerbell/events';
import type { Projection } from '@tinkerbell/projections';
import type { HistoryTables } from './projection-history';
import type { ReadModel } from './read-model';

export type Changes<Row> = readonly { readonly key: string; readonly row: Row | undefined }[];

/** One projection in SQLite: rows as JSON by key, and its lookups. Reads go straight to the tables. */
export class ProjectionTables<E extends Event, Row> implements ReadModel<Row> {
  /** Position up to which the rows are true. */
  position: number;
  readonly #db: Database;
  readonly #projection: Projection<E, Row>;
  readonly #listeners = new Set<(changed: Changes<Row>) => void>();
  readonly #sql: ReturnType<typeof statements>;

  /** `history`: keeps the past of the rows, and is as far as they are; when it is not, both are built anew. */
  constructor(
    db: Database,
    projection: Projection<E, Row>,
    readonly history?: HistoryTables<E, Row>,
  ) {
    this.#db = db;
    this.#projection = projection;
    const name = `${projection.name.replaceAll('-', '_')}_v${projection.version}`;
    db.exec(`
      CREATE TABLE IF NOT EXISTS rows_${name} (key TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS lookups_${name} (lookup TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (lookup, key)) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS lookups_${name}_key ON lookups_${name} (key);`);
    this.#sql = statements(db, name);
    this.position = this.#checkpoint();
    if (history && history.position !== this.position) db.transaction(() => this.clear())();
  }

  /**
   * A version that was never seen starts empty, at 0, beside the one before it: until it has caught up, going back to the previous release
   * finds its rows as they were.
   */
  #checkpoint(): number {
    const known = this.#db
      .prepare<[string, number], { position: number }>(
        'SELECT position FROM projections WHERE name = ? AND version = ?',
      )
      .get(this.#projection.name, this.#projection.version);
    return known?.position ?? 0;
  }

  /** Forgets everything: the rows are of another log. Call inside a transaction. */
  clear(): void {
    this.#sql.clearRows.run();
    this.#sql.clearLookups.run();
    this.history?.clear();
    this.#sql.checkpoint.run(this.#projection.name, this.#projection.version, 0);
    this.position = 0;
  }

  /** Folds events into the tables; call inside a transaction. Returns what changed, each row once. */
  apply(batch: readonly Recorded[], position: number): Changes<Row> {
    const touched = new Map<string, Row | undefined>();
    for (const recorded of batch) {
      if (recorded.position <= this.position || !this.#reads(recorded)) continue;
      const key = this.#projection.key(recorded);
      if (key === undefined) continue;
      const row = touched.has(key) ? touched.get(key) : this.get(key);
      const next = this.#projection.evolve(row, recorded);
      if (next !== row) touched.set(key, next);
      this.history?.add(key, recorded, row, next);
    }
    for (const [key, row] of touched) this.#write(key, row);
    this.#sql.checkpoint.run(this.#projection.name, this.#projection.version, position);
    this.history?.checkpoint(position);
    return [...touched].map(([key, row]) => ({ key, row }));
  }

  #reads(recorded: Recorded): recorded is Recorded<E> {
    return this.#projection.aggregates.some((aggregate) => aggregate === recorded.aggregate);
  }

  #write(key: string, row: Row | undefined): void {
    this.#sql.deleteLookups.run(key);
    if (row === undefined) {
      this.#sql.deleteRow.run(key);
      return;
    }
    this.#sql.putRow.run(key, JSON.stringify(row));
    for (const lookup of new Set(this.#projection.lookups?.(row))) this.#sql.putLookup.run(lookup, key);
  }

  /** The swap is done: drops the tables of other versions of this projection. */
  dropOthers(): void {
    this.history?.dropOthers();
    const { name, version } = this.#projection;
    const base = name.replaceAll('-', '_');
    const tables = this.#db
      .prepare<[string], { name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB ?`)
      .all(`*_${base}_v[0-9]*`)
      .filter((table) => /^(rows|lookups)_/.test(table.name) && !table.name.endsWith(`s_${base}_v${version}`));
    this.#db.transaction(() => {
      for (const table of tables) {
        if (table.name.replace(/^(rows|lookups)_/, '').replace(/_v\d+$/, '') === base)
          this.#db.exec(`DROP TABLE ${table.name}`);
      }
      this.#db.prepare('DELETE FROM projections WHERE name = ? AND version <> ?').run(name, version);
    })();
  }

  notify(changed: Changes<Row>): void {
    if (changed.length === 0) return;
    for (const listener of this.#listeners) listener(changed);
  }

  get(key: string): Row | undefined {
    return parse<Row>(this.#sql.get.get(key));
  }

  find(lookup: string): Row | undefined {
    return parse<Row>(this.#sql.find.get(lookup));
  }

  findAll(lookup: string): readonly Row[] {
    return this.#sql.find.all(lookup).map(({ row }) => JSON.parse(row) as Row);
  }

  list({ after = '', limit = -1 }: { readonly after?: string; readonly limit?: number } = {}): readonly Row[] {
    return this.#sql.list.all(after, limit).map(({ row }) => JSON.parse(row) as Row);
  }

  count(): number {
    return this.#sql.count.get()?.n ?? 0;
  }

  onChange(listener: (changed: Changes<Row>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The table of how far each projection is; before any of them is opened. */
export function prepareCheckpoints(db: Database): void {
  db.exec(
    `CREATE TABLE IF NOT EXISTS projections (name TEXT, version INTEGER, position INTEGER NOT NULL, PRIMARY KEY (name, version)) STRICT`,
  );
}

interface Stored {
  readonly row: string;
}

function parse<Row>(stored: Stored | undefined): Row | undefined {
  return stored === undefined ? undefined : (JSON.parse(stored.row) as Row);
}

function statements(db: Database, name: string) {
  const rows = `rows_${name}`;
  const lookups = `lookups_${name}`;
  const find: Statement<[string], Stored> = db.prepare(
    `SELECT row FROM ${lookups} JOIN ${rows} USING (key) WHERE lookup = ? ORDER BY key`,
  );
  return {
    find,
    get: db.prepare<[string], Stored>(`SELECT row FROM ${rows} WHERE key = ?`),
    list: db.prepare<[string, number], Stored>(`SELECT row FROM ${rows} WHERE key > ? ORDER BY key LIMIT ?`),
    count: db.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${rows}`),
    putRow: db.prepare<[string, string]>(
      `INSERT INTO ${rows} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET row = excluded.row`,
    ),
    deleteRow: db.prepare<[string]>(`DELETE FROM ${rows} WHERE key = ?`),
    putLookup: db.prepare<[string, string]>(`INSERT INTO ${lookups} VALUES (?, ?)`),
    deleteLookups: db.prepare<[string]>(`DELETE FROM ${lookups} WHERE key = ?`),
    clearRows: db.prepare(`DELETE FROM ${rows}`),
    clearLookups: db.prepare(`DELETE FROM ${lookups}`),
    checkpoint: db.prepare<[string, number, number]>(
      `INSERT INTO projections VALUES (?, ?, ?)
       ON CONFLICT (name, version) DO UPDATE SET position = excluded.position`,
    ),
  };
}
