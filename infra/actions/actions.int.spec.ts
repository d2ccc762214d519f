import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { missingForActions, serveFiles, startActionLab, type ActionLab, type FileServer } from './testing';

const missing = missingForActions();
if (missing) console.warn(`skipped: the tests of the actions need ${missing}`);

const MiB = 1 << 20;
/** Three and a bit MiB of noise in front of emptiness, so that every unpacker has something to do. */
const image = Buffer.concat([randomBytes(3 * MiB + 12_345), Buffer.alloc(5 * MiB)]);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function read(device: string, position: number, length: number): Promise<Buffer> {
  const handle = await open(device);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
const kernelHas = (fileSystem: string) => readFileSync('/proc/filesystems', 'utf8').includes(`\t${fileSystem}\n`);
const isZero = (bytes: Buffer) => bytes.every((byte) => byte === 0);

describe.skipIf(missing)('actions', () => {
  let lab: ActionLab;
  let server: FileServer;
  let disk: string;
  const files = new Map<string, Buffer>();

  beforeAll(async () => {
    execFileSync(process.execPath, ['infra/actions/build.mjs'], { stdio: 'pipe' });
    lab = await startActionLab('.cache/actions');
    disk = await lab.disk(16);
    files.set('image.raw', image);
    for (const [suffix, command] of Object.entries({ gz: 'gzip', xz: 'xz', zst: 'zstd', bz2: 'bzip2' }))
      files.set(`image.raw.${suffix}`, execFileSync(command, ['-c'], { input: image, maxBuffer: 64 * MiB }));
  });
  afterAll(async () => lab?.close());
  beforeEach(async () => {
    await server?.close();
    server = await serveFiles(files);
    return () => server.close();
  });

  const write = (environment: Readonly<Record<string, string>>) =>
    lab.run('image2disk', { DEST_DISK: disk, ...environment }, [disk]);

  describe('image2disk', () => {
    it.each(['image.raw', 'image.raw.gz', 'image.raw.xz', 'image.raw.zst', 'image.raw.bz2'])(
      'writes %s and checks what it downloaded',
      async (name) => {
        const digest = sha256(files.get(name) ?? Buffer.alloc(0));
        const { code, output } = await write({ IMG_URL: `${server.url}/${name}`, CHECKSUM: `sha256:${digest}` });
        expect(output).toContain(`sha256:${digest} as expected`);
        expect(output).toMatch(/progress: 100% \d+\.\d MB of \d+\.\d MB \(\d+\.\d MB\/s\)/);
        expect(code).toBe(0);
        expect((await read(disk, 0, image.length)).equals(image)).toBe(true);
      },
    );

    it.each(['image.raw', 'image.raw.xz', 'tiny.raw'])('says what it wrote of %s', async (name) => {
      files.set('tiny.raw', randomBytes(1000));
      const folder = await mkdtemp(join(lab.dir, 'workflow-'));
      const environment = { IMG_URL: `${server.url}/${name}`, DEST_DISK: disk };
      const { code } = await lab.run('image2disk', environment, [disk], [`${folder}:/workflow`]);
      expect(code).toBe(0);
      const file = files.get(name) ?? Buffer.alloc(0);
      expect(JSON.parse(await readFile(join(folder, 'outputs.json'), 'utf8'))).toEqual({
        bytes: name === 'tiny.raw' ? 1000 : image.length,
        sha256: sha256(file),
        disk,
        seconds: expect.any(Number) as unknown,
      });
    });

    it('goes on where a broken connection stopped', async () => {
      server.breakAfter(700_000, 2);
      const { code, output } = await write({
        IMG_URL: `${server.url}/image.raw.gz`,
        RETRY_ENABLED: 'true',
        CHECKSUM: `sha256:${sha256(files.get('image.raw.gz') ?? Buffer.alloc(0))}`,
      });
      expect(output).toContain('download interrupted');
      expect(code).toBe(0);
      expect(server.ranges.filter((range) => range !== undefined)).toHaveLength(2);
      expect((await read(disk, 0, image.length)).equals(image)).toBe(true);
    });

    it('begins again with a server that cannot resume', async () => {
      server.resumable = false;
      server.breakAfter(700_000, 1);
      const { code, output } = await write({ IMG_URL: `${server.url}/image.raw.zst`, RETRY_ENABLED: 'true' });
      expect(output).toContain('from the beginning again');
      expect(code).toBe(0);
      expect((await read(disk, 0, image.length)).equals(image)).toBe(true);
    });

    it.each([
      ['a wrong checksum', { IMG_URL: '/image.raw.gz', CHECKSUM: `sha256:${'0'.repeat(64)}` }, 0, 'CHECKSUM: what was'],
      ['a broken download', { IMG_URL: '/image.raw.gz' }, 700_000, 'the download broke at'],
      ['a file that is not what its name says', { IMG_URL: '/not.gz' }, 0, 'IMG_URL: not.gz cannot be unpacked'],
      ['a missing file', { IMG_URL: '/none.gz' }, 0, 'IMG_URL: the server answers 404'],
      ['an image larger than the disk', { IMG_URL: '/large.raw' }, 0, 'could not be written'],
    ])('leaves no partition table after %s', async (_what, { IMG_URL, ...rest }, breakAfter, message) => {
      files.set('not.gz', randomBytes(2 * MiB)).set('large.raw', Buffer.alloc(20 * MiB, 1));
      if (breakAfter) server.breakAfter(breakAfter, 1);
      const { code, output } = await write({ ...rest, IMG_URL: `${server.url}${IMG_URL}` });
      expect(output).toContain(message);
      expect(output).toContain('left without a partition table');
      expect(code).toBe(1);
      expect(isZero(await read(disk, 0, MiB))).toBe(true);
      expect(isZero(await read(disk, 15 * MiB, MiB))).toBe(true);
    });

    it.each([
      [{ IMG_URL: '' }, 'IMG_URL is not set'],
      [{ IMG_URL: 'ftp://x/y' }, 'IMG_URL is "ftp://x/y"'],
      [{ DEST_DISK: '' }, 'DEST_DISK is not set'],
      [{ DEST_DISK: '/dev/nothing' }, 'DEST_DISK: there is no /dev/nothing'],
      [{ DEST_DISK: '/tmp' }, 'DEST_DISK: /tmp is not a block device'],
      [{ COMPRESSED: 'true' }, 'COMPRESSED is true, but'],
      [{ COMPRESSED: 'yes' }, 'COMPRESSED is "yes"'],
      [{ CHECKSUM: 'md5:1234' }, 'CHECKSUM is "md5:1234"'],
      [{ CHECKSUM: 'sha256:12' }, 'CHECKSUM is "sha256:12"'],
      [{ RETRY_ENABLED: '1' }, 'RETRY_ENABLED is "1"'],
      [{ RETRY_DURATION_MINUTES: 'ten' }, 'RETRY_DURATION_MINUTES is "ten"'],
      [{ PROGRESS_INTERVAL_SECONDS: '-1' }, 'PROGRESS_INTERVAL_SECONDS is "-1"'],
      [{ TEXT_LOGGING: 'json' }, 'TEXT_LOGGING is "json"'],
    ])('refuses %j by name', async (environment, message) => {
      const { code, output } = await write({ IMG_URL: `${server.url}/image.raw`, ...environment });
      expect(output).toContain(message);
      expect(code).toBe(1);
      expect(server.ranges).toEqual([]);
    });

    it('refuses a disk that is mounted, and leaves it as it is', async () => {
      const used = await lab.disk(16);
      execFileSync('mkfs.ext4', ['-q', '-F', used]);
      const folder = join(lab.dir, 'mounted');
      await mkdir(folder);
      execFileSync('mount', [used, folder]);
      try {
        const { code, output } = await lab.run('image2disk', { IMG_URL: `${server.url}/image.raw`, DEST_DISK: used }, [
          used,
        ]);
        expect(output).toContain(`DEST_DISK: ${used} is mounted`);
        expect(code).toBe(1);
        const wiped = await lab.run('disk-wipe', { DISKS: used }, [used]);
        expect(wiped).toMatchObject({ code: 1, output: expect.stringContaining('is mounted') as string });
      } finally {
        execFileSync('umount', [folder]);
      }
      expect(() => execFileSync('fsck.ext4', ['-n', used], { stdio: 'pipe' })).not.toThrow();
    });
  });

  describe('writefile', () => {
    let partition: string;
    const folder = () => join(lab.dir, 'target');
    const put = (environment: Readonly<Record<string, string>>) =>
      lab.run(
        'writefile',
        { DEST_DISK: partition, FS_TYPE: 'ext4', DEST_PATH: '/etc/a', CONTENTS: 'x', ...environment },
        [partition],
      );
    async function inside<T>(look: (root: string) => Promise<T> | T): Promise<T> {
      execFileSync('mount', [partition, folder()]);
      try {
        return await look(folder());
      } finally {
        execFileSync('umount', [folder()]);
      }
    }
    beforeAll(async () => {
      partition = await lab.disk(16);
      execFileSync('mkfs.ext4', ['-q', '-F', partition]);
      await mkdir(folder());
      await inside((root) =>
        execFileSync('sh', ['-c', 'mkdir usr; ln -s /usr bin; ln -s ../../../up out'], { cwd: root }),
      );
    });

    it('writes contents, owner and modes, and makes the folders', async () => {
      const contents = 'line one\n  two "quoted" $HOME \\n\nno end of line';
      const ids = { UID: '1000', GID: '1001', MODE: '0640', DIRMODE: '0710' };
      const { code, output } = await put({ DEST_PATH: '/srv/deep/file.txt', CONTENTS: contents, ...ids });
      expect({ code, output }).toMatchObject({
        code: 0,
        output: expect.stringContaining('wrote /srv/deep/file.txt') as string,
      });
      await inside(async (root) => {
        const file = join(root, 'srv/deep/file.txt');
        const { uid, gid, mode } = await stat(file);
        expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 1000, gid: 1001, mode: 0o640 });
        expect((await stat(join(root, 'srv/deep'))).mode & 0o7777).toBe(0o710);
        expect(execFileSync('cat', [file], { encoding: 'utf8' })).toBe(contents);
      });
    });

    it('follows links as the installed system will, never out of the file system', async () => {
      expect((await put({ DEST_PATH: '/bin/tool' })).output).toContain('wrote /usr/tool');
      expect((await put({ DEST_PATH: '/out/there' })).output).toContain('wrote /up/there');
      await inside((root) => {
        expect(existsSync(join(root, 'usr/tool'))).toBe(true);
        expect(existsSync(join(root, 'up/there'))).toBe(true);
      });
    });

    it('writes an empty file', async () => expect(await put({ CONTENTS: '' })).toMatchObject({ code: 0 }));

    it.skipIf(!kernelHas('vfat'))('writes into a file system without owners', async () => {
      const fat = await lab.disk(16);
      execFileSync('mkfs.vfat', [fat], { stdio: 'pipe' });
      const ran = await lab.run(
        'writefile',
        { DEST_DISK: fat, FS_TYPE: 'vfat', DEST_PATH: '/boot.cfg', CONTENTS: 'x' },
        [fat],
      );
      expect(ran).toMatchObject({ code: 0, output: expect.stringContaining('wrote /boot.cfg') as string });
    });

    it.each([
      [{ DEST_DISK: '/dev/nothing' }, 'DEST_DISK: there is no /dev/nothing'],
      [{ FS_TYPE: '' }, 'FS_TYPE is not set'],
      [{ FS_TYPE: 'xfs' }, 'cannot be mounted as FS_TYPE xfs'],
      [{ DEST_PATH: 'etc/x' }, 'DEST_PATH is "etc/x"'],
      [{ DEST_PATH: '/etc/' }, 'DEST_PATH is "/etc/"'],
      [{ DEST_PATH: '/usr' }, 'DEST_PATH: /usr is a folder'],
      [{ MODE: '999' }, 'MODE is "999"'],
      [{ DIRMODE: 'rwx' }, 'DIRMODE is "rwx"'],
      [{ UID: 'root' }, 'UID is "root"'],
      [{ GID: 'wheel' }, 'GID is "wheel"'],
    ])('refuses %j by name', async (environment, message) => {
      const { code, output } = await put(environment);
      expect(output).toContain(message);
      expect(code).toBe(1);
    });

    it('wants CONTENTS, even if empty', async () => {
      const ran = await lab.run('writefile', { DEST_DISK: partition, FS_TYPE: 'ext4', DEST_PATH: '/a' }, [partition]);
      expect(ran).toMatchObject({ code: 1, output: expect.stringContaining('CONTENTS is not set') as string });
    });
  });

  describe('disk-wipe', () => {
    it('wipes both ends of each disk that it is told', async () => {
      const [one, two] = [await lab.disk(16), await lab.disk(16)];
      const folder = await mkdtemp(join(lab.dir, 'workflow-'));
      const ran = await lab.run('disk-wipe', { DISKS: `${one}, ${two}` }, [one, two], [`${folder}:/workflow`]);
      expect(ran).toMatchObject({ code: 0 });
      expect(JSON.parse(await readFile(join(folder, 'outputs.json'), 'utf8'))).toEqual({ disks: [one, two] });
      for (const each of [one, two]) {
        expect(isZero(await read(each, 0, MiB))).toBe(true);
        expect(isZero(await read(each, 15 * MiB, MiB))).toBe(true);
      }
    });
    it('touches nothing when one of them is not a disk', async () => {
      const one = await lab.disk(16);
      const ran = await lab.run('disk-wipe', { DISKS: `${one} /dev/null` }, [one]);
      expect(ran).toMatchObject({
        code: 1,
        output: expect.stringContaining('DISKS: /dev/null is not a block') as string,
      });
      expect(isZero(await read(one, 0, MiB))).toBe(false);
    });
    it('wants DISKS', async () =>
      expect(await lab.run('disk-wipe', {})).toMatchObject({
        code: 1,
        output: expect.stringContaining('DISKS is not set') as string,
      }));
  });

  it('hello-world says hello', async () =>
    expect(await lab.run('hello-world', {})).toMatchObject({
      code: 0,
      output: expect.stringContaining('Hello from Tinkerbell') as string,
    }));

  it('reboot leaves its wish for the worker', async () => {
    const folder = join(lab.dir, 'workflow');
    await mkdir(folder);
    expect(await lab.run('reboot', {}, [], [`${folder}:/workflow`])).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'reboot'))).toBe(true);
    expect(await lab.run('reboot', {})).toMatchObject({
      code: 1,
      output: expect.stringContaining('there is no /workflow') as string,
    });
  });
});
