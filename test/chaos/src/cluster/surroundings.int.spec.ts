import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clockMissing, setClock, settableClock } from './clock';
import { disksMissing, SmallDisk } from './disk';

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'tink-surroundings-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const noDisk = process.getuid?.() === 0 ? disksMissing() : 'needs root';

describe.skipIf(noDisk)(`a small disk${noDisk ? ` (${noDisk})` : ''}`, () => {
  let disk: SmallDisk;
  beforeEach(async () => void (disk = await SmallDisk.mount(join(dir, 'disk'), 256)));
  afterEach(() => disk.unmount());

  /** Through to the device. */
  async function write(name: string, bytes: number): Promise<number> {
    const started = performance.now();
    const file = await open(join(disk.dir, name), 'w');
    try {
      await file.write(Buffer.alloc(bytes, 'x'));
      await file.datasync();
    } finally {
      await file.close();
    }
    return performance.now() - started;
  }

  it('takes no more in a second than it is told, and then as much as there is again', async () => {
    await write('a', 1_000_000);
    await disk.slow(400_000 * 8);
    // What came before has used up the first second.
    expect(await write('b', 1_200_000)).toBeGreaterThan(1_000);
    await disk.fast();
    await write('c', 200_000_000); // eight minutes at that speed
  });

  it('is full to the last block, until it is freed', async () => {
    await disk.fill();
    await expect(write('d', 100_000)).rejects.toMatchObject({ code: 'ENOSPC' });
    await disk.free();
    await write('e', 100_000);
  });
});

const noClock = clockMissing();

describe.skipIf(noClock)(`the clock of a process${noClock ? ` (${noClock})` : ''}`, () => {
  it('is set while it runs; what only measures time goes on', async () => {
    const file = join(dir, 'clock');
    setClock(file, 0);
    const script = 'setInterval(() => console.log(JSON.stringify([Date.now(), performance.now()])), 100)';
    const child = spawn(process.execPath, ['-e', script], {
      env: settableClock(file),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    const years = 50 * 365 * 86_400;
    const wanted = [7_200, -years, 0];
    let last = 0;
    try {
      for await (const line of createInterface(child.stdout)) {
        const [now = 0, measured = 0] = JSON.parse(line) as readonly number[];
        expect(measured).toBeGreaterThan(last);
        last = measured;
        setClock(file, wanted[0] ?? 0);
        if (Math.abs(now - Date.now() - (wanted[0] ?? 0) * 1000) < 600_000) wanted.shift();
        if (wanted.length === 0) break;
      }
    } finally {
      child.kill('SIGKILL');
      await gone;
    }
    expect(wanted).toEqual([]);
    expect(last).toBeLessThan(3_600_000);
  });
});
