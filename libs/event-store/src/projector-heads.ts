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
  /** Since the last write. */
  #moved = new Map<string, StreamHead>();
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

  /** Takes commits in, all of them or none; those that it has are left out. Throws IntegrityError. */
  fold(batch: readonly Commit[]): void {
    const heads = new Map<string, StreamHead>();
    for (const commit of batch) {
      const { stream } = commit;
      const head = heads.get(stream) ?? this.#of(stream);
      if (commit.position <= head.position) continue; // seen before these rows were begun
      heads.set(stream, followsHead(head, commit));
    }
    for (const [stream, head] of heads) this.#moved.set(stream, head);
  }

  /** Call inside a transaction, and `written` after it. */
  write(): void {
    for (const [stream, { position, version, hash }] of this.#moved) this.#sql.put.run(stream, position, version, hash);
  }

  written(): void {
    for (const [stream, head] of this.#moved) {
      this.#cache.delete(stream);
      this.#cache.set(stream, head);
    }
    this.#moved = new Map();
    for (const [oldest] of this.#cache) {
      if (this.#cache.size <= cachedHeads) return;
      this.#cache.delete(oldest);
    }
  }

  #of(stream: string): StreamHead {
    return this.#moved.get(stream) ?? this.#cache.get(stream) ?? this.#sql.get.get(stream) ?? emptyHead;
  }

  clear(): void {
    this.#sql.clear.run();
    this.#cache.clear();
    this.#moved = new Map();
  }
}
