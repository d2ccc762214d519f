import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Journal } from './journal';

const cannot = process.getuid?.() === 0 && process.platform === 'linux' ? '' : ' (needs root on Linux)';

it.skipIf(cannot !== '')(`a journal on a full disk keeps what it had, and goes on when there is room${cannot}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'journal-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', dir]);
    rmSync(dir, { recursive: true });
  });
  const journal = Journal.open(dir);
  const filler = join(dir, 'filler');
  writeFileSync(filler, Buffer.alloc(32_768));
  const containerOf = (n: number) => `container-${n}`;
  const effect = (n: number) => journal.append({ t: 'effect', container: containerOf(n) });
  let count = 0;
  expect(() => {
    for (; ; count++) effect(count);
  }).toThrow(/ENOSPC/);
  expect(journal.hadEffect(containerOf(count))).toBe(false);
  rmSync(filler);
  effect(count + 1);
  journal.close();
  const again = Journal.open(dir);
  expect([count - 1, count, count + 1].map((n) => again.hadEffect(containerOf(n)))).toEqual([true, false, true]);
  again.close();
});
