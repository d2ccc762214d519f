import type { Database } from 'better-sqlite3';
import { followsHead } from './envelope';
import { type Commit, emptyHead, type StreamHead } from './event-store';

const cachedHeads = 20_000;

/**
 * Where every stream stood in the log so far. Every commit must follow the one before it in its stream: JetStream can lose the middle
 * of a log without an error.
 */
export class ProjectorHeads {
  readonly #cache = new Map<string, StreamHead>();
  readonly #sql;

  constructor(db: Database, table: 'heads' | 'heads_building') {
    this.#sql = {
      get: db.prepare<[string], StreamHead>(`SELECT position, version, hash FROM ${table} WHERE stream = ?`),
      put: db.prepare<[string, number, number, string]>(
        `INSERT INTO ${table} VALUES (?, ?, ?, ?) ON CONFLICT (stream)
         DO UPDATE SET position = excluded.position, version = excluded.version, hash = excluded.hash`,
      ),
      clear: db.prepare(`DELETE FROM ${table}`),
    };
  }

  /** Throws IntegrityError; call inside a transaction, and `forgetCached` when that fails. */
  advance(batch: readonly Commit[]): void {
    const heads = new Map<string, StreamHead>();
    for (const commit of batch) {
      const { stream } = commit;
      const head = heads.get(stream) ?? this.#cache.get(stream) ?? this.#sql.get.get(stream) ?? emptyHead;
      if (commit.position <= head.position) continue; // seen before these rows were begun
      heads.set(stream, followsHead(head, commit));
    }
    for (const [stream, head] of heads) {
      this.#sql.put.run(stream, head.position, head.version, head.hash);
      this.#cache.delete(stream);
      this.#cache.set(stream, head);
    }
    for (const [oldest] of this.#cache) {
      if (this.#cache.size <= cachedHeads) return;
      this.#cache.delete(oldest);
    }
  }

  clear(): void {
    this.#sql.clear.run();
    this.#cache.clear();
  }

  forgetCached(): void {
    this.#cache.clear();
  }
}
