import type { Database } from 'better-sqlite3';
import type { AnyEvent } from '@tinkerbell/events';
import type { Measures, Projection } from '@tinkerbell/projections';
import { followsHead } from './envelope';
import { type Commit, emptyHead, type EventStore, type StreamHead } from './event-store';
import { type HistoryOptions, HistoryTables } from './projection-history';
import { type Changes, prepareCheckpoints, ProjectionTables } from './projection-tables';
import { isPassing, openDatabase } from './projector-file';
import type { ReadModel } from './read-model';
import type { RowHistory } from './row-history';

/** Commits that share one transaction, at most. */
const batchSize = 1000;
/** After a write that failed for want of space. */
const retryMs = 500;

/** Any projection, whatever its events and rows. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- Projection is contravariant in its events: no other type accepts all
type AnyProjection = Projection<any, any>;
type RowOf<P> = P extends Projection<infer _E extends AnyEvent, infer Row> ? Row : never;

export interface ReadModels<P extends Readonly<Record<string, AnyProjection>>> {
  readonly models: { readonly [K in keyof P]: ReadModel<RowOf<P[K]>> };
  /** The rows as they were; undefined when they were opened without. */
  readonly history: { readonly [K in keyof P]: RowHistory<RowOf<P[K]>> } | undefined;
  /** Every commit up to this position is in the rows. */
  readonly position: number;
  /** Resolves true once the rows contain `position`, false when that takes longer than `timeoutMs`. */
  waitFor(position: number, timeoutMs: number): Promise<boolean>;
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

/** Opens the read models of one service and returns when they have caught up with the log. */
export async function openReadModels<P extends Readonly<Record<string, AnyProjection>>>(
  options: ReadModelOptions<P>,
): Promise<ReadModels<P>> {
  const { store, file, projections, history } = options;
  const names = Object.keys(projections);
  const db = openDatabase(file);
  // By its name each projection has its own rows measured.
  const past = history && names.map((name) => ({ measures: history[name] as Measures<unknown> | undefined }));
  const projector = new Projector(db, Object.values(projections), options.log, past);
  const models: unknown = Object.fromEntries(names.map((name, i) => [name, projector.tables[i]]));
  const histories: unknown = Object.fromEntries(names.map((name, i) => [name, projector.tables[i]?.history]));
  try {
    const newest = await store.lastPosition();
    projector.startOverIfAhead(newest);
    const running = projector.run(store);
    await Promise.race([projector.caughtUp(newest), running.then(rejectEarlyEnd)]);
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
    waitFor: (position, timeoutMs) => projector.waitFor(position, timeoutMs),
    fault: projector.fault,
    close: () => projector.close(),
  };
}

function rejectEarlyEnd(error: Error | undefined): never {
  throw error ?? new Error('the subscription to the log ended');
}

interface Waiter {
  readonly position: number;
  readonly done: () => void;
}

/** Feeds the log to any number of projections in one SQLite file; rows, checkpoints and stream heads move in one transaction. */
class Projector {
  readonly tables: readonly ProjectionTables<AnyEvent, unknown>[];
  readonly fault: Promise<Error>;
  position: number;
  readonly #db: Database;
  readonly #stopped = new AbortController();
  readonly #waiters = new Set<Waiter>();
  readonly #getHead;
  readonly #putHead;
  #buffer: Commit[] = [];
  #scheduled = false;
  #waitsForSpace = false;
  #broken: Error | undefined;
  #reportFault: (error: Error) => void = () => undefined;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(
    db: Database,
    projections: readonly AnyProjection[],
    private readonly log: (line: string) => void = () => undefined,
    past?: readonly HistoryOptions<unknown>[],
  ) {
    this.#db = db;
    this.fault = new Promise((resolve) => (this.#reportFault = resolve));
    this.#getHead = db.prepare<[string], StreamHead>('SELECT position, version, hash FROM heads WHERE stream = ?');
    this.#putHead = db.prepare<[string, number, number, string]>(
      `INSERT INTO heads VALUES (?, ?, ?, ?) ON CONFLICT (stream)
       DO UPDATE SET position = excluded.position, version = excluded.version, hash = excluded.hash`,
    );
    prepareCheckpoints(db);
    this.tables = projections.map((projection, i) => {
      const options = past?.[i];
      const kept = options && new HistoryTables<AnyEvent, unknown>(db, projection, options);
      return new ProjectionTables<AnyEvent, unknown>(db, projection, kept);
    });
    this.position = Math.min(...this.tables.map(({ position }) => position));
  }

  /** Resolves with what ended it: undefined after close(). */
  run(store: EventStore): Promise<Error | undefined> {
    const ended = this.#consume(store).catch((error: unknown) => {
      const fault = error instanceof Error ? error : new Error(String(error));
      this.#reportFault(fault);
      return fault;
    });
    this.#ended = ended;
    return ended;
  }

  /** Rows that know more than the log are of another one: somebody put an older copy of the log in its place. */
  startOverIfAhead(newest: number): void {
    if (this.tables.every(({ position }) => position <= newest)) return;
    this.log(`the read models are at ${this.position}, the log at ${newest}: they are built anew`);
    this.#db.transaction(() => {
      for (const table of this.tables) table.clear();
      this.#db.exec('DELETE FROM heads');
    })();
    this.position = 0;
  }

  async #consume(store: EventStore): Promise<undefined> {
    const { signal } = this.#stopped;
    for await (const commit of store.subscribe({ after: this.position, signal })) {
      this.#buffer.push(commit);
      if (this.#buffer.length < batchSize) this.#flushSoon();
      else await this.#flushPatiently();
      if (this.#broken) throw this.#broken;
    }
    if (this.#broken) throw this.#broken;
    if (!signal.aborted) throw new Error('the subscription to the log ended');
    await this.#flushPatiently();
    return undefined;
  }

  /** What arrives in one turn of the event loop becomes one transaction. */
  #flushSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#waitsForSpace) return;
      this.#flushPatiently().catch((error: unknown) => {
        this.#broken = error instanceof Error ? error : new Error(String(error));
        this.#reportFault(this.#broken);
        this.#stopped.abort();
      });
    });
  }

  /** A full disk is waited for: rows and checkpoint stay as they were, and the service answers with them. */
  async #flushPatiently(): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        this.#flush();
        this.#waitsForSpace = false;
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#waitsForSpace = true;
        if (failures === 0) this.log(`read models cannot be written: ${(error as Error).message}; trying again`);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        if (this.#stopped.signal.aborted) return;
      }
    }
  }

  #flush(): void {
    const batch = this.#buffer;
    const last = batch.at(-1);
    if (!last || !this.#db.open) return;
    const events = batch.flatMap(({ events: recorded }) => recorded);
    const changes = this.#db.transaction(() => {
      this.#advanceHeads(batch);
      return this.tables.map((table) => table.apply(events, Math.max(table.position, last.position)));
    })();
    this.#buffer = [];
    this.position = last.position;
    this.tables.forEach((table, i) => {
      table.position = Math.max(table.position, last.position);
      table.notify(changes[i] as Changes<unknown>);
    });
    for (const waiter of this.#waiters) if (waiter.position <= this.position) waiter.done();
  }

  /** Every commit must follow the one before it in its stream: JetStream can lose the middle of a log without an error. */
  #advanceHeads(batch: readonly Commit[]): void {
    const heads = new Map<string, StreamHead>();
    for (const commit of batch) {
      const head = heads.get(commit.stream) ?? this.#getHead.get(commit.stream) ?? emptyHead;
      if (commit.position <= head.position) continue; // seen before this projection was added to the file
      heads.set(commit.stream, followsHead(head, commit));
    }
    for (const [stream, { position, version, hash }] of heads) this.#putHead.run(stream, position, version, hash);
  }

  async caughtUp(position: number): Promise<void> {
    await this.#until(position);
    for (const table of this.tables) table.dropOthers();
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
      signal?.addEventListener('abort', () => this.#waiters.delete(waiter));
    });
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#ended;
    if (this.#db.open) this.#db.close();
  }
}
