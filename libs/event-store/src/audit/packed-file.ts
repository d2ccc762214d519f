import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

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

async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}
