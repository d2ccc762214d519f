import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DamagedFileError, readUnpacked } from './packed-file';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'packed-file-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const large = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join('');
async function textOf(path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readUnpacked(path)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('a packed file', () => {
  it('that was cut gives what it has and says so', async () => {
    const path = join(dir, 'cut');
    const packed = gzipSync(large);
    await writeFile(path, packed.subarray(0, packed.length / 2));
    let text = '';
    const reading = (async () => {
      for await (const chunk of readUnpacked(path)) text += Buffer.from(chunk).toString();
    })();
    await expect(reading).rejects.toThrow(DamagedFileError);
    expect(large.startsWith(text)).toBe(true);
    expect(text).not.toBe('');
  });
  it('that is not there is not damaged', async () =>
    expect(textOf(join(dir, 'none'))).rejects.toMatchObject({ code: 'ENOENT' }));
});
