import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, existsSync } from 'node:fs';
import { mkdir, open, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../until';

const execute = promisify(execFile);

/** Bits in a second: as good as no limit. */
const fast = 1_000_000_000_000;

/** Why no such disk can be had; undefined: it can. */
export function disksMissing(): string | undefined {
  const wanted = ['/dev/fuse', '/dev/loop-control'];
  const missing = wanted.filter((path) => !existsSync(path));
  return missing.length === 0 ? undefined : `needs ${missing.join(' and ')}`;
}

/**
 * A small disk for one server, ext4 on a block device in memory, that can be filled up and made slow: nbdkit lets only so many bits
 * through in a second, nbdfuse shows its device as a file, and that is mounted.
 */
export class SmallDisk {
  private constructor(
    readonly dir: string,
    private readonly image: string,
    private readonly rateFile: string,
    private readonly device: ChildProcess,
  ) {}

  static async mount(dir: string, mebibytes: number): Promise<SmallDisk> {
    const [image, rateFile] = [`${dir}.image`, `${dir}.rate`];
    await mkdir(dir, { recursive: true });
    await writeFile(image, '');
    await writeFile(rateFile, String(fast));
    const server = ['nbdkit', '--single', '--filter=rate', 'memory', `${mebibytes}M`, `rate-file=${rateFile}`];
    const device = spawn('setpriv', ['--pdeathsig', 'KILL', 'nbdfuse', image, '--command', ...server], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await until('the small disk is there', 10_000, async () => (await stat(image)).size > 0);
    await execute('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    await execute('mount', ['-o', 'loop', image, dir]);
    return new SmallDisk(dir, image, rateFile, device);
  }

  /** To the last block. */
  async fill(): Promise<void> {
    const { bavail, bsize } = await statfs(this.dir);
    // The bulk without writing it: at the speed of a slow disk that would take hours.
    await execute('fallocate', ['-l', String(Math.max(bavail - 256, 1) * bsize), this.filler]);
    const file = await open(this.filler, constants.O_WRONLY | constants.O_APPEND);
    try {
      const block = Buffer.alloc(bsize);
      for (;;) await file.write(block);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.filler, { force: true });
  }

  /** What passes in a second, either way. */
  async slow(bits: number): Promise<void> {
    await writeFile(this.rateFile, String(bits));
  }

  async fast(): Promise<void> {
    await this.slow(fast);
  }

  async unmount(): Promise<void> {
    await this.fast();
    const gone = once(this.device, 'exit');
    await execute('umount', [this.dir, this.image]);
    await gone;
  }

  private get filler(): string {
    return join(this.dir, 'filler');
  }
}
