import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WalThread } from './projector-wal';
import { openDatabase } from './projector-file';

let dir = '';
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'tink-wal-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('copies the write-ahead log into the file while who writes has it open', async () => {
  const file = join(dir, 'rows.db');
  const db = openDatabase(file);
  const faults: string[] = [];
  const thread = new WalThread(file, (line) => faults.push(line));
  db.exec('CREATE TABLE t (text TEXT)');
  const put = db.prepare('INSERT INTO t VALUES (?)');
  const fill = db.transaction(() => {
    for (let i = 0; i < 1000; i++) put.run('x'.repeat(1000));
  });
  fill();
  thread.stored(1999);
  expect(statSync(file).size).toBeLessThan(500_000);
  thread.stored(1);
  await vi.waitFor(() => expect(statSync(file).size).toBeGreaterThan(1_000_000), { timeout: 30_000 });
  fill();
  thread.stored(2000);
  expect(db.prepare('SELECT count(*) FROM t').pluck().get()).toBe(2000);
  await thread.close();
  db.close();
  expect(existsSync(`${file}-wal`)).toBe(false);
  const again = openDatabase(file);
  expect(again.prepare('SELECT count(*) FROM t').pluck().get()).toBe(2000);
  again.close();
  expect(faults).toEqual([]);
});

it('says that it cannot, and ends, when the file cannot be opened', async () => {
  const lines: string[] = [];
  const thread = new WalThread(join(dir, 'no', 'rows.db'), (line) => lines.push(line));
  thread.stored(2000);
  await vi.waitFor(() => expect(lines).toHaveLength(1), { timeout: 30_000 });
  expect(lines[0]).toContain('copied by who writes');
  thread.stored(2000);
  await thread.close();
  expect(lines).toHaveLength(1);
});
