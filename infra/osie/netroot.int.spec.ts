import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const busybox = '/bin/busybox';
const cannot = process.getuid?.() !== 0 ? 'root' : existsSync(busybox) ? '' : busybox;

/** The shell that sources it, with a network that is there already. */
const init = `#!/bin/busybox sh
say() { echo "$*"; }
fail() { say "failed: $*"; exit 1; }
sleep() { :; }
. /netroot
`;
const network = (root: string, sha256: string) => `load_drivers() { :; }
network() { echo "network $*"; }
argument() { case $1 in tink_root) echo "${root}" ;; tink_root_sha256) echo "${sha256}" ;; esac; }
`;

describe.skipIf(cannot !== '')(
  `the program that fetches the root file system${cannot && ` (missing: ${cannot})`}`,
  () => {
    let dir = '';
    let server: Server;
    let asked = 0;
    let answers: Buffer[] = [];
    // More than is hashed and unpacked at a time.
    const layers = { 'root.sqfs': Buffer.alloc(9_000_000, 'a root file system'), 'top.sqfs': Buffer.from('top') };

    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), 'netroot-'));
      for (const folder of ['bin', 'etc', 'dev', 'tmp']) mkdirSync(join(dir, folder));
      copyFileSync(busybox, join(dir, 'bin/busybox'));
      await promisify(execFile)(busybox, ['chroot', dir, '/bin/busybox', '--install', '-s', '/bin']);
      writeFileSync(join(dir, 'dev/null'), '');
      copyFileSync('infra/osie/files/netroot', join(dir, 'netroot'));
      asked = 0;
      server = createServer((_, response) => response.end(answers[Math.min(asked++, answers.length - 1)]));
      await once(server.listen(0, '127.0.0.1'), 'listening');
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
      rmSync(dir, { recursive: true, force: true });
    });

    function archive(text = ''): Buffer {
      const folder = join(dir, 'tmp');
      for (const [name, bytes] of Object.entries(layers)) writeFileSync(join(folder, name), text === '' ? bytes : text);
      mkdirSync(join(folder, 'bin'), { recursive: true });
      writeFileSync(join(folder, 'bin/evil'), 'evil');
      const input = [...Object.keys(layers), 'bin/evil'].join('\n');
      return execFileSync(busybox, ['cpio', '-o', '-H', 'newc'], {
        cwd: folder,
        input,
        maxBuffer: 16 << 20,
        stdio: 'pipe',
      });
    }

    async function run(sha256: string): Promise<string> {
      const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}/osie/rootfs-x86_64`;
      writeFileSync(join(dir, 'etc/network.sh'), network(root, sha256));
      writeFileSync(join(dir, 'init'), init);
      chmodSync(join(dir, 'init'), 0o755);
      const ran = promisify(execFile)(busybox, ['chroot', dir, '/init'], { env: { PATH: '/bin' } });
      return ran.then(
        ({ stdout }) => stdout,
        (error: { stdout: string }) => error.stdout,
      );
    }
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    const found = (name: string) => existsSync(join(dir, name));

    it('leaves both layers, and nothing else that the archive has', async () => {
      answers = [archive()];
      expect(await run(digest(answers[0] as Buffer))).toMatch(
        /^network -q\nroot file system from http:.*rootfs-x86_64\n$/,
      );
      for (const [name, bytes] of Object.entries(layers))
        expect(readFileSync(join(dir, name)).equals(bytes)).toBe(true);
      expect(found('bin/evil')).toBe(false);
      expect(asked).toBe(1);
    });

    it('throws away what is not what boots promised, and tries again', async () => {
      const good = archive();
      answers = [archive('something else'), good.subarray(0, 1_000_000), good];
      const said = await run(digest(good));
      expect(said.match(/has digest [0-9a-f]{64}, not [0-9a-f]{64}/g)).toHaveLength(2);
      expect(readFileSync(join(dir, 'top.sqfs'), 'utf8')).toBe('top');
      expect(asked).toBe(3);
    });

    it('gives up after a while, and leaves nothing behind', async () => {
      answers = [archive()];
      expect(await run('0'.repeat(64))).toMatch(/\nfailed: the root file system could not be fetched\n$/);
      expect([found('root.sqfs'), found('fetched')]).toEqual([false, false]);
      expect(asked).toBe(6);
    });

    it('fetches nothing without a digest to compare with', async () => {
      answers = [archive()];
      expect(await run('')).toBe('failed: no root.sqfs, and no tink_root and tink_root_sha256 to fetch it by\n');
      expect(asked).toBe(0);
    });
  },
);
