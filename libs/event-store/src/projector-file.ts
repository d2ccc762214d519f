import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';

/** Goes up when the tables that are not a projection's own change; an older file is built anew. */
const layout = 5;

/**
 * Opens the SQLite file of one service's read models. They are disposable: a file that is damaged, no database or of another layout is
 * removed, and built anew from the log.
 */
export function openDatabase(file: string): Database.Database {
  if (file === ':memory:') return prepare(new Database(file));
  mkdirSync(dirname(file), { recursive: true });
  let db: Database.Database | undefined;
  try {
    db = new Database(file);
    const found = db.pragma('user_version', { simple: true });
    const used = db.prepare(`SELECT 1 FROM sqlite_master LIMIT 1`).get() !== undefined;
    if (!used || (found === layout && db.pragma('quick_check(1)', { simple: true }) === 'ok')) return prepare(db);
  } catch (error) {
    if (!isDamage(error)) {
      db?.close();
      throw error;
    }
  }
  db?.close();
  for (const part of ['', '-wal', '-shm']) rmSync(file + part, { force: true });
  return prepare(new Database(file));
}

function prepare(db: Database.Database): Database.Database {
  // Before the first table. Workflows of some KiB share a page; of the default size each would take two, a third of them empty.
  db.pragma('page_size = 16384');
  db.pragma('journal_mode = WAL');
  // The log is the truth: what a power failure takes from this file is projected again.
  db.pragma('synchronous = NORMAL');
  db.pragma('cache_size = -65536');
  // At 256 MiB of the write-ahead log, which WalThread lets nearly never come: everybody waits for the disk then.
  db.pragma('wal_autocheckpoint = 16384');
  db.exec(`
    CREATE TABLE IF NOT EXISTS heads
      (stream TEXT PRIMARY KEY, position INTEGER NOT NULL, version INTEGER NOT NULL, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS heads_building
      (stream TEXT PRIMARY KEY, position INTEGER NOT NULL, version INTEGER NOT NULL, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS projections
      (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, built INTEGER NOT NULL, version INTEGER NOT NULL,
       role TEXT NOT NULL, position INTEGER NOT NULL, past INTEGER NOT NULL) STRICT;
    PRAGMA user_version = ${layout}`);
  return db;
}

function isDamage(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_NOTADB' || codeOf(error).startsWith('SQLITE_CORRUPT');
}

/** The disk is full or fails: worth another try with the same batch, nothing of it was kept. */
export function isPassing(error: unknown): boolean {
  return /^SQLITE_(FULL|IOERR|BUSY|LOCKED|CANTOPEN)/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : '';
}
