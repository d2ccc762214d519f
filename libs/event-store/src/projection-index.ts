import type { Database, Statement } from 'better-sqlite3';
import type { Event } from '@tinkerbell/events';
import type { Projection } from '@tinkerbell/projections';
import type { ListOptions, Place } from './read-model';

/** What a row is found by, with its rank in those that are queues. */
export type Ranks = ReadonlyMap<string, number>;

const none: Ranks = new Map();
const unchanged: RankChanges = { gone: [], put: none };

function ranksOf<E extends Event, Row>({ lookups, queues }: Projection<E, Row>, row: Row | undefined): Ranks {
  if (row === undefined) return none;
  const ranks = new Map<string, number>();
  for (const lookup of lookups?.(row) ?? []) ranks.set(lookup, 0);
  for (const { queue, rank } of queues?.(row) ?? []) ranks.set(queue, rank);
  return ranks;
}

/** `ranksOf` the rows of one projection, each looked up once: a row that changes was the outcome of a change before. */
export class RowRanks<E extends Event, Row> {
  readonly #known = new WeakMap<object, Ranks>();

  constructor(private readonly projection: Projection<E, Row>) {}

  /** What has to be taken away and put when a row takes the place of another. */
  changes(before: Row | undefined, after: Row | undefined): RankChanges {
    return rankChanges(this.#of(before), this.#of(after));
  }

  #of(row: Row | undefined): Ranks {
    if (typeof row !== 'object' || row === null) return ranksOf(this.projection, row);
    const ranks = this.#known.get(row) ?? ranksOf(this.projection, row);
    this.#known.set(row, ranks);
    return ranks;
  }
}

/** As JSON, for who lists rows without reading them. */
export function briefOf<E extends Event, Row>({ brief }: Projection<E, Row>, row: Row): string | null {
  const found = brief?.(row);
  return found === undefined ? null : JSON.stringify(found);
}

export interface RankChanges {
  readonly gone: readonly string[];
  readonly put: Ranks;
}

/** What has to be taken away and put for a row to be found by `now` and no more by `old`. */
function rankChanges(old: Ranks, now: Ranks): RankChanges {
  if (old === now) return unchanged;
  const gone: string[] = [];
  const put = new Map<string, number>();
  for (const [lookup, rank] of old) if (now.get(lookup) !== rank) gone.push(lookup);
  for (const [lookup, rank] of now) if (old.get(lookup) !== rank) put.set(lookup, rank);
  return gone.length === 0 && put.size === 0 ? unchanged : { gone, put };
}

/** Tables to look rows up in. */
interface Tables {
  /** Of the keys; named `r` in `columns` and `valid`. */
  readonly keys: string;
  readonly columns: string;
  readonly lookups: string;
  /** Conditions on `@at`: which keys and which lookups count. */
  readonly valid?: { readonly keys: string; readonly lookups: (table: string) => string };
}

/** Finds rows by what they have and have not, in key order, with one statement for each kind of question. */
export class RowIndex<Columns> {
  readonly #statements = new Map<string, Statement<[Readonly<Record<string, unknown>>], Columns>>();
  readonly #place: Statement<[Readonly<Record<string, unknown>>], { ahead: number; first: string }>;

  readonly #tally: Statement<[Readonly<Record<string, unknown>>], { n: number }>;

  constructor(
    private readonly db: Database,
    private readonly tables: Tables,
  ) {
    const { lookups } = tables;
    // SQLite takes the columns beside min() from the row that has it.
    this.#place = db.prepare(`
      SELECT count(*) AS ahead, min(o.rank), o.key AS first
      FROM ${lookups} AS own JOIN ${lookups} AS o ON o.lookup = own.lookup AND o.rank < own.rank
      WHERE own.lookup = @queue AND own.key = @key ${this.#valid('own')} ${this.#valid('o')}`);
    this.#tally = db.prepare(`
      SELECT count(*) AS n FROM ${lookups} AS o
      WHERE o.lookup = @queue AND o.rank BETWEEN @first AND @last ${this.#valid('o')}`);
  }

  list(options: ListOptions, at?: number): readonly Columns[] {
    const { after = '', limit = -1, lookups = [], without } = options;
    const kind = `${lookups.length} ${without !== undefined}`;
    const statement = this.#statements.get(kind) ?? this.db.prepare(this.#listing(options));
    this.#statements.set(kind, statement);
    const numbered = Object.fromEntries(lookups.map((lookup, i) => [`lookup${i}`, lookup]));
    return statement.all({ after, limit, at, without, ...numbered });
  }

  place(queue: string, key: string, at?: number): Place | undefined {
    const { ahead, first } = this.#place.get({ queue, key, at }) ?? { ahead: 0, first: '' };
    return ahead === 0 ? undefined : { first, position: ahead + 1 };
  }

  tally(queue: string, first: number, last: number, at?: number): number {
    return this.#tally.get({ queue, first, last, at })?.n ?? 0;
  }

  #listing({ lookups = [], without }: ListOptions): string {
    const { keys, columns, lookups: table, valid } = this.tables;
    const has = (name: string) =>
      `EXISTS (SELECT 1 FROM ${table} AS l WHERE l.lookup = @${name} AND l.key = r.key ${this.#valid('l')})`;
    const byLookup = lookups.length > 0;
    const key = byLookup ? 'first.key' : 'r.key';
    return `
      SELECT ${columns}
      FROM ${byLookup ? `${table} AS first CROSS JOIN ${keys} AS r ON r.key = first.key` : `${keys} AS r`}
      WHERE ${key} > @after ${byLookup ? `AND first.lookup = @lookup0 ${this.#valid('first')}` : ''} ${valid?.keys ?? ''}
      ${lookups
        .slice(1)
        .map((_, i) => `AND ${has(`lookup${i + 1}`)}`)
        .join(' ')}
      ${without === undefined ? '' : `AND NOT ${has('without')}`}
      ORDER BY ${key} LIMIT @limit`;
  }

  #valid(table: string): string {
    return this.tables.valid?.lookups(table) ?? '';
  }
}
