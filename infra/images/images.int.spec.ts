import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'images-'));
const build = (...args: readonly string[]) =>
  execFileSync(process.execPath, ['infra/images/build.mjs', ...args], { stdio: 'pipe', encoding: 'utf8' });
const record = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'small.json'), 'utf8')) as { rawBytes: number; files: { sha256: string }[] };

describe('small disk image', () => {
  beforeAll(() => {
    build();
    build('--out', dir);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('is the same, byte for byte, when built again elsewhere', () =>
    expect(record(dir)).toEqual(record('.cache/images')));

  it('is not built again when nothing changed', () => expect(build('--out', dir)).toContain('images: found'));

  it('has a partition table, a boot partition that both kinds of firmware find, and a sound root', () => {
    const raw = join(dir, 'disk.raw');
    execFileSync('zstd', ['-dqf', join(dir, 'small.raw.zst'), '-o', raw]);
    expect(execFileSync('sgdisk', ['--verify', raw], { encoding: 'utf8' })).toContain('No problems found');
    const table = execFileSync('sgdisk', ['--print', raw], { encoding: 'utf8' });
    expect(table).toMatch(/1 +2048 .* EF00 +ESP/);
    expect(table).toMatch(/2 .* 8300 +root/);
    const files = execFileSync('mdir', ['-/', '-b', '-a', '-i', `${raw}@@1M`], { encoding: 'utf8' }).split('\n');
    for (const file of ['::/EFI/BOOT/BOOTX64.EFI', '::/syslinux/ldlinux.sys', '::/vmlinuz', '::/initrd'])
      expect(files.map((each) => each.toLowerCase())).toContain(file.toLowerCase());
    const root = join(dir, 'root.img');
    execFileSync('dd', [`if=${raw}`, `of=${root}`, 'bs=1M', 'skip=41', 'count=64'], { stdio: 'pipe' });
    expect(() => execFileSync('e2fsck', ['-fn', root], { stdio: 'pipe' })).not.toThrow();
  });

  it('names the images that there are', () =>
    expect(() => build('--image', 'windows')).toThrow('--image windows: use small or debian'));
});
