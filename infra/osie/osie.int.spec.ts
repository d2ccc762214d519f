import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'osie-'));
const outputs = ['initramfs-x86_64', 'netroot-x86_64', 'rootfs-x86_64', 'vmlinuz-x86_64'];

/** The base takes a while; the tests start from the project's own and build what lies over it. */
function build(out: string, text: string): string {
  const worker = join(dir, 'worker.js');
  writeFileSync(worker, text);
  for (const name of readdirSync('.cache/osie').filter((each) => each.startsWith('base-')))
    if (!existsSync(join(out, name))) cpSync(join('.cache/osie', name), join(out, name), { recursive: true });
  execFileSync(process.execPath, ['infra/osie/build.mjs', '--worker', worker, '--out', out], { stdio: 'pipe' });
  return join(out, 'current');
}
const digests = (folder: string) =>
  outputs.map((name) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex'),
  );

/** Names in a newc archive, in order. */
function names(archive: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < archive.length && archive.toString('latin1', at, at + 6) === '070701';) {
    const field = (index: number) => parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [bytes, length] = [field(6), field(11)];
    const name = archive.toString('latin1', at + 110, at + 109 + length);
    found.push(name);
    at = (at + 110 + length + 3) & ~3;
    at = (at + bytes + 3) & ~3;
    if (name === 'TRAILER!!!') at = (at + 511) & ~511;
  }
  return found;
}

describe('in-memory OS', () => {
  let first: string;
  beforeAll(() => {
    if (!existsSync('.cache/osie/current')) execFileSync(process.execPath, ['infra/osie/build.mjs'], { stdio: 'pipe' });
    first = build(join(dir, 'one'), 'console.log(1)');
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('is the same, byte for byte, when built again elsewhere', () => {
    const again = build(join(dir, 'two'), 'console.log(1)');
    expect(digests(again)).toEqual(digests(first));
  });

  it('describes itself truly', () => {
    const manifest = JSON.parse(readFileSync(join(first, 'manifest.json'), 'utf8')) as {
      files: { name: string; sha256: string }[];
    };
    expect(manifest.files.map(({ name }) => name)).toEqual(outputs);
    expect(manifest.files.map(({ sha256 }) => sha256)).toEqual(digests(first));
  });

  it('has an init and what it needs to find the root, in an initramfs that even a slow loader takes', () => {
    const packed = readFileSync(join(first, 'initramfs-x86_64'));
    expect(packed.length).toBeLessThan(2_000_000);
    const found = names(execFileSync('zstd', ['-dc'], { input: packed, maxBuffer: 64 << 20 }));
    expect(found).toContain('init');
    expect(found).toContain('bin/busybox');
    for (const module of ['squashfs', 'overlay', 'loop'])
      expect(found.filter((name) => name.endsWith(`/${module}.ko`))).toHaveLength(1);
  });

  it('has the drivers of network cards in an initrd of their own, for whoever fetches the root by itself', () => {
    const found = names(execFileSync('zstd', ['-dc', join(first, 'netroot-x86_64')], { maxBuffer: 64 << 20 }));
    for (const file of ['netroot', 'etc/network.sh', 'etc/udhcpc.sh']) expect(found).toContain(file);
    // Its index of modules takes the place of the initramfs' own.
    for (const module of ['virtio_net', 'loop', 'squashfs', 'overlay'])
      expect(found.filter((name) => name.endsWith(`/${module}.ko`))).toHaveLength(1);
  });

  it('has both layers of the root in an uncompressed archive', () => {
    expect(names(readFileSync(join(first, 'rootfs-x86_64')))).toEqual(['root.sqfs', 'top.sqfs', 'TRAILER!!!']);
  });

  it('leaves nothing of a build that was killed', () => {
    mkdirSync(join(dir, 'one/work-killed/out'), { recursive: true });
    build(join(dir, 'one'), 'console.log(1)');
    expect(readdirSync(join(dir, 'one')).filter((name) => name.startsWith('work-'))).toEqual([]);
  });

  it('is built anew when the worker changes, and only then', () => {
    const before = digests(first);
    const changed = build(join(dir, 'one'), 'console.log(2)');
    expect(digests(changed)[2]).not.toBe(before[2]);
    expect(digests(build(join(dir, 'one'), 'console.log(1)'))).toEqual(before);
  });

  it('names the architectures that it can be built for', () => {
    const run = () => execFileSync(process.execPath, ['infra/osie/build.mjs', '--arch', 'sparc'], { stdio: 'pipe' });
    expect(run).toThrow('--arch sparc: use x86_64, aarch64');
  });

  it('says what to do without a worker', () => {
    const run = () =>
      execFileSync(process.execPath, ['infra/osie/build.mjs', '--worker', join(dir, 'none.js')], { stdio: 'pipe' });
    expect(run).toThrow('run npm run build first');
  });
});
