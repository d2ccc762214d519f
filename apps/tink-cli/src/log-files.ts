import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { pipeline, type Writable } from 'node:stream';
import { finished, pipeline as pipelined } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { NewFile } from './cli-command';

/** What was packed cannot be unpacked to its end: the file was cut or damaged. */
export class DamagedFileError extends Error {}

/** The bytes of a file, unpacked when it is gzip, whatever its name. Throws DamagedFileError; ENOENT and its like from Node. */
export async function* readUnpacked(path: string): AsyncGenerator<Uint8Array> {
  if (!(await isGzip(path))) return yield* createReadStream(path) as AsyncIterable<Buffer>;
  const unpacked = createGunzip();
  // The error arrives through the iteration below.
  pipeline(createReadStream(path), unpacked, () => undefined);
  try {
    yield* unpacked as AsyncIterable<Buffer>;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('Z_')) throw error;
    throw new DamagedFileError(`${path} cannot be unpacked to its end: ${error.message}`, { cause: error });
  }
}

/**
 * A file for its owner's eyes that appears under its name when it is whole and on the disk; packed when the name ends in `.gz`.
 * Throws EEXIST when there is one and `replace` was not given.
 */
export async function createWhole(path: string, { replace }: { readonly replace: boolean }): Promise<NewFile> {
  if (!replace && (await exists(path))) throw Object.assign(new Error('it exists'), { code: 'EEXIST' });
  const part = `${path}.${process.pid}.part`;
  const handle = await open(part, 'wx', 0o600);
  const file = handle.createWriteStream();
  const packer = path.endsWith('.gz') ? createGzip() : undefined;
  const first: Writable = packer ?? file;
  const written = packer ? pipelined(packer, file) : finished(file);
  written.catch(() => undefined); // whoever writes or finishes is told
  return {
    async write(chunk) {
      if (first.errored) throw first.errored;
      if (first.write(chunk)) return;
      const drained = new Promise<void>((resolve) => first.once('drain', resolve));
      await Promise.race([drained, written]);
    },
    async finish() {
      first.end();
      await written;
      await sync(part);
      await rename(part, path);
    },
    async discard() {
      first.destroy();
      await written.catch(() => undefined);
      await rm(part, { force: true });
    },
  };
}

async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
