import type { Database } from 'better-sqlite3';
import type { AnyEvent, Event } from '@tinkerbell/events';
import type { Projection } from '@tinkerbell/projections';
import { dropHistoryTables, type HistoryOptions, type HistoryTables } from './projection-history';
import { dropTables, ProjectionTables, tableName } from './projection-tables';
import type { Changes, Entry, ListOptions, Place, ReadModelStatus, StoredRows } from './read-model';
import type { RowHistory } from './row-history';
import { ServedHistory } from './served-history';

/** Any projection, whatever its events and rows. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- Projection is contravariant in its events: no other type accepts all
export type AnyProjection = Projection<any, any>;
export type AnyTables = ProjectionTables<AnyEvent, unknown>;

type Role = 'served' | 'building' | 'retired';

interface SetRow {
  readonly id: number;
  /** Version of the projection that built the rows from the start of the log. */
  readonly built: number;
  /** Version that went on with them last. */
  readonly version: number;
  readonly position: number;
  /** 1: the past of the rows is kept from the start of the log. */
  readonly past: number;
}

/**
 * The sets of rows of one projection: those that are served and, while new ones are built, those. Which is which is a row of table
 * `projections`, so that a swap is one transaction.
 */
export class ProjectionSets<Row = unknown> implements StoredRows<Row> {
  served: AnyTables;
  building: AnyTables | undefined;
  failure: string | null = null;
  /** Of the rows that are served; undefined when they keep none. */
  readonly history: RowHistory<Row> | undefined;
  #servedVersion: number;
  readonly #listeners = new Set<(changed: Changes<Row>) => void>();

  constructor(
    private readonly db: Database,
    readonly projection: AnyProjection,
    /** Writes what shows. */
    private readonly write: () => void,
    private readonly keeps?: HistoryOptions<unknown>,
  ) {
    const { version } = projection;
    if (keeps) this.history = new ServedHistory<Row>(() => this.#servedPast());
    this.#dropAll('retired');
    const found = this.#find('served');
    let building = this.#find('building');
    if (building && (building.version !== version || !this.#hasWhatIsKept(building))) {
      this.#dropAll('building');
      building = undefined;
    }
    if (found && this.#canServe(found)) {
      // A release that cannot go on from our rows shall not take them for its own.
      if (found.version !== version)
        db.prepare('UPDATE projections SET version = ? WHERE id = ?').run(version, found.id);
      this.served = this.#tables(found);
      this.#servedVersion = found.built;
      if (building) this.building = this.#tables(building);
      else if (found.built !== version) this.build();
      return;
    }
    // Nothing that can be served: what is built is what will be, and a release that knows the old rows still finds them.
    this.served = this.#tables(building ?? this.#add('building'));
    this.#servedVersion = version;
    if (!found) this.#take(this.served);
  }

  #canServe(set: SetRow): boolean {
    const { built, version } = set;
    const { version: today, continues = [] } = this.projection;
    if (!this.#hasWhatIsKept(set)) return false;
    return [built, version].every((known) => known === today || continues.includes(known));
  }

  /** A past that begins in the middle of the log would be none. */
  #hasWhatIsKept({ past }: SetRow): boolean {
    return past === 1 || this.keeps === undefined;
  }

  /** For what is looked up in the file. */
  get #stored(): AnyTables {
    if (this.served.hasNews) this.write();
    return this.served;
  }

  #servedPast() {
    const { past } = this.served;
    if (past?.hasNews) this.write();
    if (!past) throw new Error(`the rows of ${this.projection.name} keep no past`);
    // Of our own projection, whose rows these are.
    return past as HistoryTables<Event, Row>;
  }

  /** New rows, from the start of the log, beside those that are served. */
  build(): void {
    this.failure = null;
    this.building ??= this.#tables(this.#add('building'));
  }

  /** The rows that were built are served from now on; call inside a transaction, and then `retire` what it returns. */
  swap(): AnyTables | undefined {
    const { building, served } = this;
    if (!building) return undefined;
    this.db.prepare(`UPDATE projections SET role = 'retired' WHERE id = ?`).run(served.id);
    this.#take(building);
    return served;
  }

  /** After the transaction of `swap`. */
  swapped(): void {
    if (!this.building) return;
    this.served = this.building;
    this.building = undefined;
    this.#servedVersion = this.projection.version;
  }

  /** The rows that are served have caught up for the first time: those of other versions go. */
  settle(): void {
    this.db.transaction(() => {
      const { name } = this.projection;
      this.db
        .prepare(`UPDATE projections SET role = 'retired' WHERE name = ? AND role = 'served' AND id <> ?`)
        .run(name, this.served.id);
      this.#take(this.served);
    })();
    this.#dropAll('retired');
  }

  abandon(failure: string): void {
    this.failure = failure;
    this.building = undefined;
    this.#dropAll('building');
  }

  /**
   * Tells who listens what differs between the retired rows and those that are served, and removes the retired ones, a little at a
   * time so that reads and writes go on between. What is left when the process ends is dropped at the next start.
   */
  async retire(old: AnyTables, stopped: AbortSignal): Promise<void> {
    for (const [from, to] of [
      [this.served, old],
      [old, this.served],
    ] as const) {
      for (let after = ''; ;) {
        if (stopped.aborted || !this.db.open) return;
        const page = from.entries({ after, limit: pageSize });
        const changed = page.filter(({ key, json }) => to.entry(key)?.json !== json);
        this.notify(changed.map(({ key }) => ({ key, row: this.get(key) })));
        const last = page.at(-1);
        if (!last || page.length < pageSize) break;
        after = last.key;
        await nextTurn();
      }
    }
    while (!stopped.aborted && this.db.open && old.removeSome(pageSize)) await nextTurn();
    if (stopped.aborted || !this.db.open) return;
    this.db.transaction(() => {
      old.drop();
      this.db.prepare('DELETE FROM projections WHERE id = ?').run(old.id);
    })();
  }

  status(): ReadModelStatus {
    const { name, version } = this.projection;
    const { served, building, failure } = this;
    return {
      name,
      version,
      served: this.#servedVersion,
      position: served.folded,
      rows: this.count(),
      building: building ? { position: building.position } : null,
      failure,
    };
  }

  #find(role: Role): SetRow | undefined {
    return this.db
      .prepare<[string, Role], SetRow>(
        'SELECT id, built, version, position, past FROM projections WHERE name = ? AND role = ? ORDER BY id DESC',
      )
      .get(this.projection.name, role);
  }

  #add(role: Role): SetRow {
    const { name, version } = this.projection;
    const past = this.keeps ? 1 : 0;
    const { lastInsertRowid } = this.db
      .prepare('INSERT INTO projections (name, built, version, role, position, past) VALUES (?, ?, ?, ?, 0, ?)')
      .run(name, version, version, role, past);
    return { id: Number(lastInsertRowid), built: version, version, position: 0, past };
  }

  #take({ id }: AnyTables): void {
    this.db.prepare(`UPDATE projections SET role = 'served' WHERE id = ?`).run(id);
  }

  #tables({ id, position, past }: SetRow): AnyTables {
    if (past === 1 && !this.keeps) this.#forgetPast(id);
    return new ProjectionTables<AnyEvent, unknown>(this.db, this.projection, id, position, this.keeps);
  }

  /** Rows that go on without keeping their past have none that could be gone on with. */
  #forgetPast(id: number): void {
    this.db.transaction(() => {
      dropHistoryTables(this.db, tableName(this.projection.name, id));
      this.db.prepare('UPDATE projections SET past = 0 WHERE id = ?').run(id);
    })();
  }

  #dropAll(role: Role): void {
    const { name } = this.projection;
    this.db.transaction(() => {
      const sets = this.db
        .prepare<[string, Role], SetRow>('SELECT id FROM projections WHERE name = ? AND role = ?')
        .all(name, role);
      for (const { id } of sets) dropTables(this.db, name, id);
      this.db.prepare('DELETE FROM projections WHERE name = ? AND role = ?').run(name, role);
    })();
  }

  notify(changed: Changes<unknown>): void {
    if (changed.length === 0) return;
    for (const listener of this.#listeners) listener(changed as Changes<Row>);
  }

  onChange(listener: (changed: Changes<Row>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(key: string): Row | undefined {
    return this.served.get(key) as Row | undefined;
  }
  find(lookup: string): Row | undefined {
    return this.served.find(lookup) as Row | undefined;
  }
  findAll(lookup: string): readonly Row[] {
    return this.served.findAll(lookup) as readonly Row[];
  }
  list(options?: ListOptions): readonly Row[] {
    return this.#stored.list(options) as readonly Row[];
  }
  entry(key: string): Entry<Row> | undefined {
    return this.#stored.entry(key) as Entry<Row> | undefined;
  }
  entries(options?: ListOptions): readonly Entry<Row>[] {
    return this.#stored.entries(options) as readonly Entry<Row>[];
  }
  place(queue: string, key: string): Place | undefined {
    return this.#stored.place(queue, key);
  }
  tally(queue: string, first: number, last: number): number {
    return this.served.tally(queue, first, last);
  }
  count(): number {
    return this.#stored.count();
  }
}

const pageSize = 200;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
