import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { GrowingFile } from './growing-file';

async function emptyFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'growing-file-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await appendFile(join(dir, 'log'), '');
  return join(dir, 'log');
}

it('tells what others append, whatever its size', async () => {
  const path = await emptyFile();
  const file = await GrowingFile.follow(path);
  const told = new Promise<void>((resolve) => file.once('more', resolve));
  await appendFile(path, 'a line\n');
  await told;
  expect(file.text).toBe('a line\n');
  await appendFile(path, 'x'.repeat(200_000));
  await file.read();
  expect(file.text).toHaveLength(200_007);
  await file.close();
});

it('has all that was written before it is closed, once or twice', async () => {
  const path = await emptyFile();
  const file = await GrowingFile.follow(path);
  await appendFile(path, 'caf\xe9', 'latin1');
  await Promise.all([file.close(), file.close()]);
  await file.read();
  expect(file.text).toBe('caf\xe9');
});
