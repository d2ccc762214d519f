import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A small disk for one server: a tmpfs that can be filled up and freed. */
export class SmallDisk {
  private constructor(readonly dir: string) {}

  static async mount(dir: string, mebibytes: number): Promise<SmallDisk> {
    await mkdir(dir, { recursive: true });
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'chaos', dir]);
    return new SmallDisk(dir);
  }

  /** To the last block. */
  async fill(): Promise<void> {
    const { bavail, bsize } = await statfs(this.dir);
    const file = await open(this.filler, constants.O_CREAT | constants.O_WRONLY | constants.O_TRUNC);
    try {
      const chunk = Buffer.alloc(1024 * 1024);
      for (let left = bavail * bsize; left > chunk.length; left -= chunk.length) await file.write(chunk);
      for (;;) await file.write(chunk, 0, bsize);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.filler, { force: true });
  }

  async unmount(): Promise<void> {
    await execute('umount', [this.dir]);
  }

  private get filler(): string {
    return join(this.dir, 'filler');
  }
}
