import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataFolderInUseError, openDataFolder } from './data-folder';

describe('data folder', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tinkerbell-data-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('has one owner at a time', async () => {
    const first = await openDataFolder(dir);
    await expect(openDataFolder(dir)).rejects.toThrow(DataFolderInUseError);
    await first.release();
    await (await openDataFolder(dir)).release();
  });

  it('is taken over from a process that was killed, even when its pid belongs to another process by now', async () => {
    await writeFile(join(dir, 'lock'), `${process.pid} 1`);
    await (await openDataFolder(dir)).release();
  });

  it('keeps its secrets and shows them to nobody else', async () => {
    const folder = await openDataFolder(dir);
    const secrets = await folder.secrets();
    expect(secrets.admin.password).toHaveLength(32);
    expect(secrets.admin.password).not.toBe(secrets.registry.password);
    await folder.release();
    const again = await openDataFolder(dir);
    expect(await again.secrets()).toEqual(secrets);
    expect((await stat(join(dir, 'secrets.json'))).mode & 0o077).toBe(0);
    await again.release();
  });
});
