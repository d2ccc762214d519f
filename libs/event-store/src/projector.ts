import type { Database } from 'better-sqlite3';
import type { AnyEvent } from '@tinkerbell/events';
import type { Measures, Projection } from '@tinkerbell/projections';
import { WalThread } from './projector-wal';
import type { Commit, EventStore } from './event-store';
import type { HistoryOptions } from './projection-history';
import { ProjectorFeed } from './projector-feed';
import { openDatabase } from './projector-file';
import { ProjectorHeads } from './projector-heads';
import { type AnyProjection, type AnyTables, ProjectionSets } from './projection-sets';
import type { ReadModelStatus, StoredRows } from './read-model';
import type { RowHistory } from './row-history';

/** Of rows that answer: what changes often is written once in a while, and no transaction is so large that others wait for it. */
const writeBehind = { ms: 1000, commits: 256 };
/** Commits that share one transaction, at most: as they come, while nobody can be answered yet, and beside rows that answer. */
const batchSize = { live: 1000, catchUp: 10_000, beside: 500 };

type RowOf<P> = P extends Projection<infer _E extends AnyEvent, infer Row> ? Row : never;

export interface ReadModels<P extends Readonly<Record<string, AnyProjection>>> {
  readonly models: { readonly [K in keyof P]: StoredRows<RowOf<P[K]>> };
  /** The rows as they were; undefined when they were opened without. */
  readonly history: { readonly [K in keyof P]: RowHistory<RowOf<P[K]>> } | undefined;
  /** Every commit up to this position is in the rows. */
  readonly position: number;
  /** Calls back with what was applied, in order, after it was; returns the unsubscribe function. */
  onCommits(listener: (commits: readonly Commit[]) => void): () => void;
  /** Resolves true once the rows contain `position`, false when that takes longer than `timeoutMs`. */
  waitFor(position: number, timeoutMs: number): Promise<boolean>;
  /**
   * Builds the rows anew from the start of the log, beside those that answer and follow meanwhile, and swaps when they have caught up.
   * `names` of projections; none = all. What is being built goes on. Throws RangeError for a name that is not among them.
   */
  rebuild(names?: readonly string[]): void;
  status(): readonly ReadModelStatus[];
  /** Ends with the error that stopped the updates: a hole in the log, an unknown event, a broken file. Never ends otherwise. */
  readonly fault: Promise<Error>;
  close(): Promise<void>;
}

export interface ReadModelOptions<P> {
  readonly store: EventStore;
  /** SQLite file; `:memory:` for tests and tools. Deletable at any time: it is built anew from the log. */
  readonly file: string;
  readonly projections: P;
  /** Keeps the past of every row too, and by projection what is measured of it; `{}` measures nothing. */
  readonly history?: { readonly [K in keyof P]?: Measures<RowOf<P[K]>> };
  readonly log?: (line: string) => void;
}

/**
 * Opens the read models of one service and returns when they have caught up with the log. Rows of an earlier version that today's code
 * can go on with (`Projection.continues`) answer at once, and the new ones are built beside them.
 */
export async function openReadModels<P extends Readonly<Record<string, AnyProjection>>>(
  options: ReadModelOptions<P>,
): Promise<ReadModels<P>> {
  const { store, file, projections, history } = options;
  const names = Object.keys(projections);
  // By its name each projection has its own rows measured.
  const past = history && names.map((name) => ({ measures: history[name] as Measures<unknown> | undefined }));
  const projector = new Projector(openDatabase(file), Object.values(projections), store, options.log, past);
  const models: unknown = Object.fromEntries(names.map((name, i) => [name, projector.sets[i]]));
  const histories: unknown = Object.fromEntries(names.map((name, i) => [name, projector.sets[i]?.history]));
  try {
    await projector.start();
  } catch (error) {
    await projector.close();
    throw error;
  }
  return {
    models: models as ReadModels<P>['models'],
    history: history && (histories as ReadModels<P>['history']),
    get position() {
      return projector.position;
    },
    onCommits: (listener) => projector.onCommits(listener),
    waitFor: (position, timeoutMs) => projector.waitFor(position, timeoutMs),
    rebuild: (names) => projector.rebuild(names),
    status: () => projector.sets.map((set) => set.status()),
    fault: projector.fault,
    close: () => projector.close(),
  };
}

interface Waiter {
  readonly position: number;
  readonly done: () => void;
}

/** Any number of projections in one SQLite file: what is served follows the log, what is built beside it catches up and is swapped in. */
class Projector {
  readonly sets: readonly ProjectionSets[];
  readonly fault: Promise<Error>;
  readonly #db: Database;
  /** Not of a database in memory. */
  readonly #wal: WalThread | undefined;
  readonly #heads: ProjectorHeads;
  readonly #headsBuilding: ProjectorHeads;
  readonly #waiters = new Set<Waiter>();
  readonly #listeners = new Set<(commits: readonly Commit[]) => void>();
  readonly #stopped = new AbortController();
  #live: ProjectorFeed | undefined;
  #beside: ProjectorFeed | undefined;
  /** What ends in its own time: a feed that was replaced, rows that are removed. */
  readonly #ending = new Set<Promise<unknown>>();
  #reportFault: (error: Error) => void = () => undefined;

  constructor(
    db: Database,
    projections: readonly AnyProjection[],
    private readonly store: EventStore,
    private readonly log: (line: string) => void = () => undefined,
    past?: readonly HistoryOptions<unknown>[],
  ) {
    this.#db = db;
    this.#wal = db.memory ? undefined : new WalThread(db.name, log);
    this.fault = new Promise((resolve) => (this.#reportFault = resolve));
    this.#heads = new ProjectorHeads(db, 'heads');
    this.#headsBuilding = new ProjectorHeads(db, 'heads_building');
    this.sets = projections.map(
      (projection, i) => new ProjectionSets(db, projection, () => this.#live?.write(), past?.[i]),
    );
  }

  get position(): number {
    return this.#live?.position ?? 0;
  }

  async start(): Promise<void> {
    const newest = await this.store.lastPosition();
    this.#startOverIfAhead(newest);
    const live = new ProjectorFeed({
      db: this.#db,
      heads: this.#heads,
      tables: () => this.sets.map(({ served }) => served),
      batch: batchSize.live,
      catchUp: { until: newest, batch: batchSize.catchUp },
      writeBehind,
      onStored: (commits) => this.#wal?.stored(commits),
      onShown: (changes, commits) => {
        this.sets.forEach((set, i) => set.notify(changes[i] ?? []));
        for (const listener of this.#listeners) listener(commits);
        for (const waiter of this.#waiters) if (waiter.position <= this.position) waiter.done();
        this.#beside?.poke();
      },
      log: this.log,
    });
    this.#live = live;
    const running = live.run(this.store);
    void running.then((error) => error && this.#reportFault(error));
    await Promise.race([this.#until(newest), running.then(rejectEarlyEnd)]);
    for (const set of this.sets) set.settle();
    if (this.#building.length > 0) this.#buildBeside();
  }

  /** Rows that know more than the log are of another one: somebody put an older copy of the log in its place. */
  #startOverIfAhead(newest: number): void {
    const tables = this.sets.flatMap(({ served, building }) => [served, ...(building ? [building] : [])]);
    if (tables.every(({ position }) => position <= newest)) return;
    const ahead = Math.max(...tables.map(({ position }) => position));
    this.log(`the read models are at ${ahead}, the log at ${newest}: they are built anew`);
    this.#db.transaction(() => {
      for (const table of tables) table.clear();
      this.#heads.clear();
      this.#headsBuilding.clear();
    })();
  }

  rebuild(names?: readonly string[]): void {
    const known = this.sets.map(({ projection }) => projection.name);
    const unknown = names?.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new RangeError(`no read model ${unknown}: there are ${known.join(', ')}`);
    const wanted = this.sets.filter(
      ({ projection, building }) => !building && (names ?? known).includes(projection.name),
    );
    if (wanted.length === 0) return;
    if (this.#building.length === 0) this.#headsBuilding.clear();
    this.#db.transaction(() => wanted.forEach((set) => set.build()))();
    this.#buildBeside();
  }

  get #building(): readonly ProjectionSets[] {
    return this.sets.filter(({ building }) => building !== undefined);
  }

  /** One feed for all that is built; when more joins, another one takes over where the least of them is. */
  #buildBeside(): void {
    if (this.#beside) this.#track(this.#beside.close());
    const sets = this.#building;
    const names = sets.map(({ projection }) => projection.name).join(', ');
    const feed = new ProjectorFeed({
      db: this.#db,
      heads: this.#headsBuilding,
      tables: () => sets.flatMap(({ building }) => (building ? [building] : [])),
      batch: batchSize.beside,
      limit: () => this.position,
      onStored: (commits) => this.#wal?.stored(commits),
      onShown: () => this.#beside === feed && this.#swapIfLevel(feed, sets),
      log: this.log,
    });
    this.#beside = feed;
    this.log(`building ${names} anew from position ${feed.position}, beside the rows that answer`);
    void feed.run(this.store).then((error) => {
      if (!error || this.#beside !== feed) return;
      this.#beside = undefined;
      this.log(`${names} cannot be built anew, the old rows go on answering: ${error.message}`);
      for (const set of sets) set.abandon(error.message);
    });
    this.#swapIfLevel(feed, sets);
  }

  #swapIfLevel(feed: ProjectorFeed, sets: readonly ProjectionSets[]): void {
    if (feed.position !== this.position || this.#stopped.signal.aborted) return;
    // The new rows go on with the checkpoint of those that they replace.
    if (!this.#live?.write()) return;
    this.#beside = undefined;
    const retired: [ProjectionSets, AnyTables][] = [];
    this.#db.transaction(() => {
      for (const set of sets) {
        const old = set.swap();
        if (old) retired.push([set, old]);
      }
      this.#headsBuilding.clear();
    })();
    for (const set of sets) set.swapped();
    this.log(`${sets.map(({ projection }) => projection.name).join(', ')} built anew up to position ${feed.position}`);
    this.#track(feed.close());
    for (const [set, old] of retired) this.#track(set.retire(old, this.#stopped.signal));
  }

  #track(ending: Promise<unknown>): void {
    const tracked = ending
      .catch((error: unknown) => this.log(`read models: ${String(error)}`))
      .finally(() => this.#ending.delete(tracked));
    this.#ending.add(tracked);
  }

  onCommits(listener: (commits: readonly Commit[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async waitFor(position: number, timeoutMs: number): Promise<boolean> {
    if (this.position >= position) return true;
    const timer = new AbortController();
    const late = new Promise<false>((resolve) => {
      const handle = setTimeout(() => resolve(false), timeoutMs);
      timer.signal.addEventListener('abort', () => clearTimeout(handle));
    });
    const reached = await Promise.race([this.#until(position, timer.signal).then(() => true), late]);
    timer.abort();
    return reached;
  }

  #until(position: number, signal?: AbortSignal): Promise<void> {
    if (this.position >= position) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter = {
        position,
        done: () => {
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      this.#live?.poke();
      signal?.addEventListener('abort', () => this.#waiters.delete(waiter));
    });
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([this.#live?.close(), this.#beside?.close()]);
    await Promise.all(this.#ending);
    await this.#wal?.close();
    if (this.#db.open) this.#db.close();
  }
}

function rejectEarlyEnd(error: Error | undefined): never {
  throw error ?? new Error('the subscription to the log ended');
}
