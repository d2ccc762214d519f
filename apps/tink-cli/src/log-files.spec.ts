import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWhole } from './log-files';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'log-files-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const replace = { replace: false };
async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}
const large = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join('');

describe('a file that is written whole', () => {
  it.each(['log.jsonl', 'log.jsonl.gz'])('%s appears when it is finished, for its owner only', async (name) => {
    const path = join(dir, name);
    const file = await createWhole(path, replace);
    for (let i = 0; i < large.length; i += 10_000) await file.write(Buffer.from(large.slice(i, i + 10_000)));
    expect((await readdir(dir)).every((one) => one.endsWith('.part'))).toBe(true);
    await file.finish();
    expect(await readdir(dir)).toEqual([name]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path)).subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))).toBe(name.endsWith('.gz'));
    expect(await textOf(path)).toBe(large);
  });

  it.each(['log.jsonl', 'log.jsonl.gz'])('%s leaves nothing when it is given up', async (name) => {
    const file = await createWhole(join(dir, name), replace);
    await file.write(Buffer.from('a'));
    await file.discard();
    expect(await readdir(dir)).toEqual([]);
  });

  it('does not take the place of another unless told', async () => {
    const path = join(dir, 'log');
    await writeFile(path, 'old');
    await expect(createWhole(path, replace)).rejects.toMatchObject({ code: 'EEXIST' });
    const file = await createWhole(path, { replace: true });
    await file.write(Buffer.from('new'));
    await file.finish();
    expect(await textOf(path)).toBe('new');
  });
});
