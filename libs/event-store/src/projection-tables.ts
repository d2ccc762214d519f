import type { Database } from 'better-sqlite3';
import type { Event, Recorded } from '@tinkerbell/events';
import type { Projection } from '@tinkerbell/projections';
import { dropHistoryTables, HistoryTables, type HistoryOptions, type Step } from './projection-history';
import type { Changes, Entry, ListOptions, Place, StoredRows } from './read-model';
import { briefOf, type RankChanges, RowIndex, RowRanks } from './projection-index';

/** Rows kept as objects between batches, so that one that changes often is not parsed every time. */
const cachedRows = 2000;

/** One set of rows of one projection in SQLite: rows as JSON by key, and their lookups. */
export class ProjectionTables<E extends Event, Row> implements Omit<StoredRows<Row>, 'onChange'> {
  readonly #db: Database;
  readonly #projection: Projection<E, Row>;
  readonly #aggregates: ReadonlySet<string>;
  readonly #sql: ReturnType<typeof statements>;
  readonly #index: RowIndex<Stored>;
  readonly #ranks: RowRanks<E, Row>;
  readonly #cache = new Map<string, Row | undefined>();
  /** Rows since the last write, and what they are found by and no more (undefined) since then. */
  #changes = new Map<string, Row | undefined>();
  #moved = new Map<string, Map<string, number | undefined>>();
  /** By key the rows as they were before changes that `#moved` does not tell of yet: while nobody looks anything up, it is made once a write. */
  #unmoved = new Map<string, Row | undefined>();
  /** Rows that changed and nobody was told of. */
  #news = new Map<string, Row | undefined>();
  #position: number;
  /** Ahead of the rows by what is to be written. */
  #folded: number;
  /** The past of these rows: built, served and dropped with them, and as far as they are. */
  readonly past: HistoryTables<E, Row> | undefined;

  /** `id` names the tables; `position`: up to which the rows are true; `history`: keeps their past. */
  constructor(
    db: Database,
    projection: Projection<E, Row>,
    readonly id: number,
    position: number,
    history?: HistoryOptions<Row>,
  ) {
    this.#db = db;
    this.#projection = projection;
    this.#position = this.#folded = position;
    this.#aggregates = new Set(projection.aggregates);
    this.#ranks = new RowRanks(projection);
    const name = tableName(projection.name, id);
    db.exec(`
      CREATE TABLE IF NOT EXISTS rows_${name} (key TEXT NOT NULL UNIQUE, brief TEXT, row TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS lookups_${name} (lookup TEXT NOT NULL, key TEXT NOT NULL, rank INTEGER NOT NULL, PRIMARY KEY (lookup, key))
        STRICT, WITHOUT ROWID;`);
    this.#sql = statements(db, name);
    this.#index = new RowIndex(db, {
      keys: `rows_${name}`,
      columns: 'r.key, r.brief, r.row',
      lookups: `lookups_${name}`,
    });
    this.past = history && new HistoryTables(db, projection, id, history);
  }

  /** Up to which the rows are stored. */
  get position(): number {
    return this.#position;
  }

  /** Up to which `get`, `find` and `findAll` are true, which know what is not written yet; all others once `hasNews` is false. */
  get folded(): number {
    return this.#folded;
  }

  get hasNews(): boolean {
    return this.#changes.size > 0;
  }

  /** Forgets everything: the rows are of another log. Call inside a transaction. */
  clear(): void {
    this.#sql.clearRows.run();
    this.#sql.clearLookups.run();
    this.past?.clear();
    this.#sql.checkpoint.run(0, this.id);
    this.#cache.clear();
    this.#changes = new Map();
    this.#moved = new Map();
    this.#unmoved = new Map();
    this.#news = new Map();
    this.#position = this.#folded = 0;
  }

  /** Takes in events up to a position, all of them or, when it throws, none; those that it has are left out. */
  fold(batch: readonly Recorded[], position: number): void {
    const touched = new Map<string, Row | undefined>();
    const origins = new Map<string, Row | undefined>();
    const steps: Step<Row>[] = [];
    for (const recorded of batch) {
      if (recorded.position <= this.#folded || !this.#reads(recorded)) continue;
      const key = this.#projection.key(recorded);
      if (key === undefined) continue;
      const before = touched.has(key) ? touched.get(key) : this.get(key);
      const after = this.#projection.evolve(before, recorded);
      if (this.past) steps.push({ key, recorded, before, after, ranks: this.#ranks.changes(before, after) });
      if (after === before) continue;
      if (!touched.has(key)) origins.set(key, before);
      touched.set(key, after);
    }
    if (this.past) {
      this.past.fold(steps);
      for (const { key, ranks } of steps) this.#move(key, ranks);
    } else {
      for (const [key, row] of origins) if (!this.#unmoved.has(key)) this.#unmoved.set(key, row);
    }
    for (const [key, row] of touched) {
      this.#changes.set(key, row);
      this.#news.set(key, row);
    }
    this.#folded = Math.max(this.#folded, position);
  }

  #moveAll(): void {
    for (const [key, before] of this.#unmoved) {
      this.#move(key, this.#ranks.changes(before, this.#changes.get(key)));
    }
    this.#unmoved = new Map();
  }

  #move(key: string, { gone, put }: RankChanges): void {
    const of = (lookup: string) => {
      const moved = this.#moved.get(lookup) ?? new Map<string, number | undefined>();
      this.#moved.set(lookup, moved);
      return moved;
    };
    for (const lookup of gone) of(lookup).set(key, undefined);
    for (const [lookup, rank] of put) of(lookup).set(key, rank);
  }

  /** What changed since it was asked last. */
  takeNews(): Changes<Row> {
    const news = [...this.#news].map(([key, row]) => ({ key, row }));
    this.#news = new Map();
    return news;
  }

  /** Writes what was folded, each row once; call inside a transaction, and `written` after it. */
  write(): void {
    this.#moveAll();
    for (const [key, row] of this.#changes) {
      if (row === undefined) this.#sql.deleteRow.run(key);
      else this.#sql.putRow.run(key, briefOf(this.#projection, row), JSON.stringify(row));
    }
    for (const [lookup, moved] of this.#moved) {
      for (const [key, rank] of moved) {
        if (rank === undefined) this.#sql.deleteLookup.run(lookup, key);
        else this.#sql.putLookup.run(lookup, key, rank);
      }
    }
    this.past?.write();
    this.#sql.checkpoint.run(this.#folded, this.id);
  }

  /** What was folded is stored. */
  written(): void {
    for (const [key, row] of this.#changes) this.#remember(key, row);
    this.#changes = new Map();
    this.#moved = new Map();
    this.past?.written();
    this.#position = this.#folded;
  }

  #reads(recorded: Recorded): recorded is Recorded<E> {
    return this.#aggregates.has(recorded.aggregate);
  }

  #remember(key: string, row: Row | undefined): void {
    this.#cache.delete(key);
    this.#cache.set(key, row);
    if (this.#cache.size <= cachedRows) return;
    for (const [oldest] of this.#cache) {
      this.#cache.delete(oldest);
      return;
    }
  }

  get(key: string): Row | undefined {
    if (this.#changes.has(key)) return this.#changes.get(key);
    return this.#cache.has(key) ? this.#cache.get(key) : this.entry(key)?.row;
  }

  find(lookup: string): Row | undefined {
    this.#moveAll();
    if (this.#moved.has(lookup)) return this.findAll(lookup)[0];
    const first = this.#sql.firstOf.get(lookup);
    return first && this.get(first.key);
  }

  findAll(lookup: string): readonly Row[] {
    // By key: most rows that are found so are known as objects.
    return this.#keysWith(lookup).flatMap((key) => this.get(key) ?? []);
  }

  #keysWith(lookup: string): readonly string[] {
    this.#moveAll();
    const stored = this.#sql.keysOf.all(lookup).map(({ key }) => key);
    const moved = this.#moved.get(lookup);
    if (!moved) return stored;
    const put = [...moved].flatMap(([key, rank]) => (rank === undefined ? [] : [key]));
    return [...new Set([...stored.filter((key) => !moved.has(key)), ...put])].sort();
  }

  list(options: ListOptions = {}): readonly Row[] {
    return this.entries(options).map(({ row }) => row);
  }

  entry(key: string): Entry<Row> | undefined {
    const stored = this.#sql.get.get(key);
    return stored && this.#entryOf(stored);
  }

  entries(options: ListOptions = {}): readonly Entry<Row>[] {
    return this.#index.list(options).map((stored) => this.#entryOf(stored));
  }

  #entryOf(stored: Stored): Entry<Row> {
    return new StoredEntry(stored, this.#cache.get(stored.key));
  }

  place(queue: string, key: string): Place | undefined {
    return this.#index.place(queue, key);
  }

  tally(queue: string, first: number, last: number): number {
    return this.#index.tally(queue, first, last);
  }

  count(): number {
    return this.#sql.count.get()?.n ?? 0;
  }

  /** Removes some of the rows; false when none is left. */
  removeSome(limit: number): boolean {
    const { changes: lookups } = this.#sql.removeLookups.run(limit);
    return lookups > 0 || this.#sql.removeRows.run(limit).changes > 0 || (this.past?.removeSome(limit) ?? false);
  }

  drop(): void {
    dropTables(this.#db, this.#projection.name, this.id);
  }
}

export function dropTables(db: Database, projection: string, id: number): void {
  const name = tableName(projection, id);
  db.exec(`DROP TABLE IF EXISTS rows_${name}; DROP TABLE IF EXISTS lookups_${name}`);
  dropHistoryTables(db, name);
}

export function tableName(projection: string, id: number): string {
  return `${projection.replaceAll('-', '_')}_${id}`;
}

interface Stored {
  readonly key: string;
  readonly brief: string | null;
  readonly row: string;
}

class StoredEntry<Row> implements Entry<Row> {
  readonly key: string;
  readonly json: string;
  readonly brief: string | null;
  #row: Row | undefined;

  /** `known`: the row, when somebody has it. */
  constructor({ key, brief, row }: Stored, known: Row | undefined) {
    this.#row = known;
    this.key = key;
    this.json = row;
    this.brief = brief;
  }

  get row(): Row {
    return (this.#row ??= JSON.parse(this.json) as Row);
  }
}

function statements(db: Database, name: string) {
  const rows = `rows_${name}`;
  const lookups = `lookups_${name}`;
  return {
    get: db.prepare<[string], Stored>(`SELECT key, brief, row FROM ${rows} WHERE key = ?`),
    keysOf: db.prepare<[string], { key: string }>(`SELECT key FROM ${lookups} WHERE lookup = ? ORDER BY key`),
    firstOf: db.prepare<[string], { key: string }>(`SELECT key FROM ${lookups} WHERE lookup = ? ORDER BY key LIMIT 1`),
    count: db.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${rows}`),
    putRow: db.prepare<[string, string | null, string]>(
      `INSERT INTO ${rows} VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET brief = excluded.brief, row = excluded.row`,
    ),
    deleteRow: db.prepare<[string]>(`DELETE FROM ${rows} WHERE key = ?`),
    putLookup: db.prepare<[string, string, number]>(`INSERT OR REPLACE INTO ${lookups} VALUES (?, ?, ?)`),
    deleteLookup: db.prepare<[string, string]>(`DELETE FROM ${lookups} WHERE lookup = ? AND key = ?`),
    clearRows: db.prepare(`DELETE FROM ${rows}`),
    clearLookups: db.prepare(`DELETE FROM ${lookups}`),
    removeRows: db.prepare<[number]>(`DELETE FROM ${rows} WHERE key IN (SELECT key FROM ${rows} LIMIT ?)`),
    removeLookups: db.prepare<[number]>(
      `DELETE FROM ${lookups} WHERE (lookup, key) IN (SELECT lookup, key FROM ${lookups} LIMIT ?)`,
    ),
    checkpoint: db.prepare<[number, number]>('UPDATE projections SET position = ? WHERE id = ?'),
  };
}
