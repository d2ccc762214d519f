import type { Database } from 'better-sqlite3';
import type { Recorded } from '@tinkerbell/events';
import type { Commit, EventStore } from './event-store';
import type { AnyTables } from './projection-sets';
import { isPassing } from './projector-file';
import type { ProjectorHeads } from './projector-heads';
import type { Changes } from './read-model';

/** After a write that failed for want of space. */
const retryMs = 500;
/** While catching up, so many commits are folded at a time and forgotten. */
const foldEvery = 200;
/** While catching up what arrives is gathered for this long, unless the batch is full before. */
const gatherMs = 2000;

export interface FeedOptions {
  readonly db: Database;
  readonly heads: ProjectorHeads;
  readonly tables: () => readonly AnyTables[];
  /** Commits that share one transaction, at most. */
  readonly batch: number;
  /** Larger transactions up to this position. */
  readonly catchUp?: { readonly until: number; readonly batch: number };
  /** Commits after this position have to wait. */
  readonly limit?: () => number;
  /** Once it has caught up rows show before they are written: after so many milliseconds or commits, or when `write` is called. */
  readonly writeBehind?: { readonly ms: number; readonly commits: number };
  /** After a transaction of so many commits. */
  readonly onStored: (commits: number) => void;
  /** When rows show, with what changed in each of the tables, and by which commits, as soon as it has caught up. */
  readonly onShown: (changes: readonly Changes<unknown>[], commits: readonly Commit[]) => void;
  readonly log: (line: string) => void;
}

/** Reads the log into a number of tables; rows, checkpoints and stream heads move in one transaction. */
export class ProjectorFeed {
  #shown: number;
  #written: number;
  readonly #stopped = new AbortController();
  /** Not folded yet. */
  #buffer: Commit[] = [];
  /** How many commits were folded and are not written yet, and up to which position. */
  #folded = 0;
  /** Of these, those that came when it had caught up. */
  #commits: Commit[] = [];
  #next: number;
  #scheduled = false;
  #cancel: () => void = () => undefined;
  #writing: NodeJS.Timeout | undefined;
  #waitsForSpace = false;
  #broken: Error | undefined;
  #resume: () => void = () => undefined;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: FeedOptions) {
    this.#shown = this.#written = this.#next = Math.min(...options.tables().map(({ position }) => position));
  }

  /** Up to which rows show. While nothing can be written, what is not written shows in some places only. */
  get position(): number {
    return this.#waitsForSpace ? this.#written : this.#shown;
  }

  /** Resolves with what ended it: undefined after close(). */
  run(store: EventStore): Promise<Error | undefined> {
    const ended = this.#consume(store).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    );
    this.#ended = ended;
    return ended;
  }

  async #consume(store: EventStore): Promise<undefined> {
    const { signal } = this.#stopped;
    const { batch, catchUp, limit } = this.options;
    for await (const commit of store.subscribe({ after: this.#written, signal })) {
      this.#buffer.push(commit);
      const behind = catchUp !== undefined && commit.position < catchUp.until;
      if (behind && this.#buffer.length >= foldEvery) await this.#patiently(() => this.#fold());
      const unwritten = this.#folded + this.#buffer.length;
      const full = unwritten >= (behind ? catchUp.batch : batch) || commit.position === catchUp?.until;
      if (full) {
        await this.#patiently(() => this.#flush());
        // Reading beside the others must not keep them from their turn, nor run ahead of them.
        if (limit) await new Promise((resolve) => setImmediate(resolve));
        while (limit && this.#buffer.length >= batch && !signal.aborted)
          await new Promise<void>((go) => (this.#resume = go));
      } else this.#flushSoon(behind);
      if (this.#broken) throw this.#broken;
    }
    if (this.#broken) throw this.#broken;
    if (!signal.aborted) throw new Error('the subscription to the log ended');
    await this.#patiently(() => this.#flush());
    return undefined;
  }

  /** `limit` has moved, or somebody waits. */
  poke(): void {
    this.#cancel();
    this.#flushSoon(false);
  }

  /**
   * Writes what shows; false while that cannot be done. Throws when it is found out that it cannot: from then on `position` says what is
   * written, and no longer what was shown to whoever asks now.
   */
  write(): boolean {
    if (this.#folded === 0) return true;
    if (this.#waitsForSpace || !this.options.db.open) return false;
    try {
      this.#store();
      return true;
    } catch (error) {
      this.#start(() => this.#flush());
      throw error;
    }
  }

  /** What arrives in one turn of the event loop shows, and becomes one transaction, together. */
  #flushSoon(gather: boolean): void {
    if (this.#scheduled) return;
    const flush = () => {
      this.#scheduled = false;
      if (this.#waitsForSpace) return;
      this.#start(() => (this.options.writeBehind && !gather ? this.#show() : this.#flush()));
    };
    const timer = gather ? setTimeout(flush, gatherMs) : undefined;
    const turn = timer ? undefined : setImmediate(flush);
    this.#cancel = () => {
      clearTimeout(timer);
      clearImmediate(turn);
      this.#scheduled = false;
    };
    this.#scheduled = true;
  }

  #start(work: () => void): void {
    this.#patiently(work).catch((error: unknown) => {
      this.#broken = error instanceof Error ? error : new Error(String(error));
      this.#stopped.abort();
    });
  }

  /** A full disk is waited for: rows and checkpoint stay as they were, and the service answers with them. */
  async #patiently(work: () => void): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        work();
        if (!this.#waitsForSpace) return;
        this.#waitsForSpace = false;
        return this.#announce();
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#waitsForSpace = true;
        if (failures === 0)
          this.options.log(`read models cannot be written: ${(error as Error).message}; trying again`);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        if (this.#stopped.signal.aborted) return;
      }
    }
  }

  /** Of what has come, as much as `limit` lets. */
  #fold(): void {
    const { heads, limit } = this.options;
    const end = limit?.();
    const waiting = end === undefined ? -1 : this.#buffer.findIndex(({ position }) => position > end);
    const batch = waiting < 0 ? this.#buffer : this.#buffer.slice(0, waiting);
    const last = batch.at(-1);
    if (!last) return;
    const events: Recorded[] = [];
    for (const commit of batch) events.push(...commit.events);
    heads.fold(batch);
    for (const table of this.options.tables()) table.fold(events, last.position);
    this.#buffer = waiting < 0 ? [] : this.#buffer.slice(waiting);
    this.#folded += batch.length;
    const caughtUp = this.options.catchUp?.until ?? 0;
    this.#commits.push(...batch.filter(({ position }) => position > caughtUp));
    this.#next = last.position;
  }

  #flush(): void {
    const { db, limit } = this.options;
    // What was built beside is finished, or another feed goes on with it.
    if (limit && this.#stopped.signal.aborted) return;
    if (!db.open) return;
    this.#fold();
    if (this.#folded === 0) return;
    this.#store();
    this.#tell();
  }

  /** Rows answer from now on, and are written in a while. */
  #show(): void {
    this.#fold();
    this.#tell();
    const { writeBehind } = this.options;
    if (!writeBehind || this.#folded === 0) return;
    if (this.#folded >= writeBehind.commits) return this.#store();
    this.#writing ??= setTimeout(() => !this.#waitsForSpace && this.#start(() => this.#flush()), writeBehind.ms);
  }

  #store(): void {
    const { db, heads } = this.options;
    const tables = this.options.tables();
    db.transaction(() => {
      heads.write();
      for (const table of tables) table.write();
    })();
    clearTimeout(this.#writing);
    this.#writing = undefined;
    const stored = this.#folded;
    this.#folded = 0;
    this.#written = this.#next;
    heads.written();
    for (const table of tables) table.written();
    this.options.onStored(stored);
  }

  #tell(): void {
    if (this.#shown === this.#next) return;
    this.#shown = this.#next;
    this.#announce();
  }

  #announce(): void {
    const commits = this.#commits;
    this.#commits = [];
    this.options.onShown(
      this.options.tables().map((table) => table.takeNews()),
      commits,
    );
    this.#resume();
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#resume();
    await this.#ended;
    this.#cancel();
    clearTimeout(this.#writing);
  }
}
