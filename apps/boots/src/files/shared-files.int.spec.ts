import { mkdtemp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { chunkBytes, SharedFiles } from './shared-files';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'shared-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

async function stored(name: string, chunks: number) {
  const path = join(folder, name);
  const content = Buffer.concat(Array.from({ length: chunks }, (_, i) => Buffer.alloc(chunkBytes, i + 1)));
  await writeFile(path, content);
  const { size, mtimeMs } = await stat(path);
  return { path, size, modifiedMs: mtimeMs };
}

it('reads a part once for all who want it, and keeps it for the next', async () => {
  const file = await stored('a', 2);
  const files = new SharedFiles();
  const [one, other] = [files.acquire(file), files.acquire(file)];
  const [first, second] = await Promise.all([one.read(1), other.read(1)]);
  expect(first).toBe(second);
  expect(first.bytes.equals(Buffer.alloc(chunkBytes, 2))).toBe(true);
  one.release();
  other.release();
  expect(files.acquire(file).peek(1)).toBe(first);
  expect(files.bytes).toBe(chunkBytes);
});

it('never keeps more than its budget, and gives up what nobody looked at first', async () => {
  const file = await stored('a', 12);
  const files = new SharedFiles(4 * chunkBytes);
  const content = files.acquire(file);
  for (let i = 0; i < 12; i++) {
    await content.read(i);
    expect(files.bytes).toBeLessThanOrEqual(4 * chunkBytes);
    content.peek(0);
  }
  expect(content.peek(11)).toBeDefined();
  expect(content.peek(7)).toBeUndefined();
  // Read anew, with what is in it.
  expect((await content.read(7)).bytes.equals(Buffer.alloc(chunkBytes, 8))).toBe(true);
});

it('refuses to send another file under the name of the first', async () => {
  const file = await stored('a', 2);
  await stored('b', 3);
  await rename(join(folder, 'b'), file.path);
  const content = new SharedFiles().acquire(file);
  await expect(content.read(0)).rejects.toThrow('became another file while it was sent');
  await expect(content.read(1)).rejects.toThrow('became another file');
});

it('refuses to go on with a file that was written over', async () => {
  const { path, size } = await stored('a', 2);
  // Another time than now: a clock of files may stand still for some milliseconds.
  await utimes(path, 1, 1);
  const content = new SharedFiles().acquire({ path, size, modifiedMs: 1000 });
  await content.read(0);
  await expect(content.isSame()).resolves.toBeUndefined();
  await writeFile(path, Buffer.alloc(size), { flag: 'r+' });
  await expect(content.read(1)).rejects.toThrow('became another file while it was sent');
  await expect(content.isSame()).rejects.toThrow('became another file while it was sent');
});

it('goes on with the file that it opened when another takes its place', async () => {
  const file = await stored('a', 2);
  const content = new SharedFiles().acquire(file);
  await content.read(0);
  await stored('b', 3);
  await rename(join(folder, 'b'), file.path);
  expect((await content.read(1)).bytes.equals(Buffer.alloc(chunkBytes, 2))).toBe(true);
});
