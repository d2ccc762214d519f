import { open, rename, rm, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { NewFile } from './cli-command';

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
  const written = packer ? pipeline(packer, file) : finished(file);
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
