import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aptFor } from './apt.mjs';
import { takeFolder, takeLock } from './lock.mjs';
import { borrowed } from './needs.mjs';
import { compareVersions, debianMirror, lockDifference, obstacle, planSteps, versionNumbers } from './plan.mjs';

describe('versions', () => {
  it.each([
    ['2.10.27-1+b2', '2.10', 1],
    ['2.9.10-1+b3', '2.10', -1],
    ['v2.10.0', '2.10', 0],
    ['1.0.0+git-20190125.36a4c85-5.1', '1.21.1', -1],
    ['1.21.1+git20250501.8460dc4+dfsg-1', '1.21.1', 0],
    ['20.20.2', '20.19.0', 1],
    ['1:1.35.0-4', '1.35', 0],
    ['garbage', '0.0.1', -1],
  ])('%s against %s is %i', (left, right, expected) => {
    expect(compareVersions(left, right)).toBe(expected);
    expect(compareVersions(right, left)).toBe(-expected + 0);
  });

  it('does not take an epoch for a version', () => expect(versionNumbers('2:1.02.185-2')).toEqual([1, 2, 185]));
});

describe('the archive of this machine', () => {
  const deb822 = `# a snapshot\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
  const security = `Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\n`;

  it('is read from deb822 sources, the security archive passed over', () =>
    expect(debianMirror([`${security}\n${deb822}`], 'bookworm')).toEqual({
      uri: 'http://mirror.example/debian',
      signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
    }));

  it('is read from one-line sources with options', () =>
    expect(
      debianMirror(
        ['deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian/ trixie main contrib # ours\n'],
        'trixie',
      ),
    ).toEqual({ uri: 'https://mirror.example/debian/', signedBy: '/k.gpg' }));

  it('is not a disabled or a foreign source', () => {
    expect(
      debianMirror([`Enabled: no\n${deb822}`, 'deb https://x.example/node nodistro main'], 'bookworm'),
    ).toBeUndefined();
    expect(debianMirror([`# deb http://mirror.example/debian bookworm main`], 'bookworm')).toBeUndefined();
  });
});

describe('node_modules', () => {
  const lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/a': { version: '1.2.3', integrity: 'sha512-a' },
      'node_modules/only-on-mac': { version: '1.0.0', optional: true },
    },
  };
  it('is right without packages for other systems', () =>
    expect(
      lockDifference(lock, { packages: { 'node_modules/a': { version: '1.2.3', integrity: 'sha512-a' } } }),
    ).toEqual([]));
  it.each([
    ['another version', { 'node_modules/a': { version: '1.2.4', integrity: 'sha512-a' } }],
    ['other contents', { 'node_modules/a': { version: '1.2.3', integrity: 'sha512-x' } }],
    ['nothing', {}],
  ])('is wrong with %s', (_what, packages) => expect(lockDifference(lock, { packages })).toEqual(['node_modules/a']));
  it('is wrong with a package too many', () =>
    expect(lockDifference({ packages: {} }, { packages: { 'node_modules/b': { version: '1.0.0' } } })).toEqual([
      'node_modules/b',
    ]));
});

describe('plan', () => {
  const ready = { packages: [], modules: 'ok', native: 'ok', borrowed: [], build: 'ok' };

  it('has nothing to do on a machine that is ready', () => expect(planSteps(ready)).toEqual([]));

  it('does everything in order on a fresh machine', () =>
    expect(
      planSteps({
        packages: ['docker.io', 'zstd'],
        modules: 'missing',
        native: 'missing',
        borrowed: ['ipxe'],
        build: 'stale',
      }).map(({ kind }) => kind),
    ).toEqual(['apt', 'borrow', 'modules', 'native', 'build']));

  it('names the exact commands when root is missing', () => {
    const text = obstacle(planSteps({ ...ready, packages: ['zstd', 'cpio'] }), {
      root: false,
      apt: true,
      purpose: 'demo',
    });
    expect(text).toContain('sudo apt-get install --yes --no-install-recommends --no-upgrade zstd cpio');
    expect(text).toContain('npm run setup -- --for demo');
  });

  it('names the compiler too when better-sqlite3 may have to be compiled', () => {
    const state = { ...ready, packages: ['zstd'], native: 'missing' };
    const at = { root: false, apt: true, purpose: 'demo', compilers: ['g++', 'make'] };
    expect(obstacle(planSteps(state), at)).toContain('--no-upgrade zstd g++ make\n');
    expect(obstacle(planSteps({ ...state, native: 'ok' }), at)).toContain('--no-upgrade zstd\n');
  });

  it('prints no name that apt does not know, but how to learn it', () => {
    const text = obstacle(planSteps({ ...ready, packages: ['docker-cli', 'zstd'] }), {
      root: false,
      apt: true,
      purpose: 'demo',
      unknown: ['docker-cli'],
    });
    expect(text).toContain('sudo apt-get update\n');
    expect(text).not.toContain('apt-get install');
  });

  it('needs no root for what is only unpacked into the project', () =>
    expect(
      obstacle(planSteps({ ...ready, borrowed: ['nats-server'], modules: 'missing' }), {
        root: false,
        apt: true,
        purpose: 'start',
      }),
    ).toBeUndefined());

  it('names the packages when there is no apt', () =>
    expect(
      obstacle(planSteps({ ...ready, packages: ['zstd'], borrowed: ['ipxe'] }), {
        root: true,
        apt: false,
        purpose: 'demo',
      }),
    ).toContain('  zstd ipxe'));
});

describe('the command', () => {
  it.each(['--help', '-h'])('prints its usage for %s and does nothing', (flag) => {
    const said = execFileSync(process.execPath, ['infra/setup/setup.mjs', flag], { encoding: 'utf8' });
    expect(said).toMatch(/^usage: .*--for demo\|start\|test\|check\|bench/);
    expect(said).not.toContain('setup: found');
  });
});

describe('a build', () => {
  it('removes what a killed one left, and nothing else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'setup-build-'));
    try {
      mkdirSync(join(folder, 'work-abc123/deep'), { recursive: true });
      writeFileSync(join(folder, 'work-abc123/deep/file'), 'half');
      mkdirSync(join(folder, 'base-0123'));
      takeFolder(folder, () => expect.unreachable());
      expect(readdirSync(folder).sort()).toEqual(['base-0123', 'lock']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('packages for one architecture', () => {
  /** Runs `task` where dpkg says that this machine is of that one. */
  async function on<T>(architecture: string, task: () => Promise<T>): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'setup-dpkg-'));
    const path = process.env['PATH'];
    writeFileSync(join(folder, 'dpkg'), `#!/bin/sh\necho ${architecture}\n`, { mode: 0o755 });
    process.env['PATH'] = `${folder}:${path}`;
    try {
      return await task();
    } finally {
      process.env['PATH'] = path;
      rmSync(folder, { recursive: true });
    }
  }
  const { architecture } = borrowed['grub-efi-amd64-signed'];

  it("come from the machine's own lists where it is of that one", async () =>
    expect(await on('amd64', () => aptFor(architecture))).toEqual([]));

  it('come from lists of their own elsewhere, and dpkg learns nothing of it', async () => {
    const apt = await on('arm64', () => aptFor(architecture));
    expect(apt).toContain('APT::Architecture=amd64');
    expect(apt).toContain('Dir::State::status=/dev/null');
  });

  it('are named with it', () => {
    const named = Object.values(borrowed).filter(({ file }) => /x64|x86_64|amd64/.test(file));
    expect(named.length).toBeGreaterThan(1);
    expect(named.map(({ architecture: name }) => name)).toEqual(named.map(() => 'amd64'));
  });
});

describe('two setups at once', () => {
  it('wait for each other, and a killed one leaves nothing behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'setup-lock-'));
    const file = join(folder, 'new/lock');
    const script = `import { takeLock } from ${JSON.stringify(resolve('infra/setup/lock.mjs'))};
      const waited = takeLock(${JSON.stringify(file)}, () => console.log('waits'));
      console.log('has it, ' + waited); setInterval(() => undefined, 1e6);`;
    const start = () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const says = async (child: ReturnType<typeof start>) => String((await once(child.stdout, 'data'))[0]).trim();
    const first = start();
    const children = [first];
    try {
      expect(await says(first)).toBe('has it, false');
      const second = start();
      children.push(second);
      expect(await says(second)).toBe('waits');
      first.kill('SIGKILL');
      expect(await says(second)).toBe('has it, true');
      const gone = once(second, 'exit');
      second.kill('SIGKILL');
      await gone;
      expect(takeLock(file, () => expect.unreachable())).toBe(false);
    } finally {
      for (const child of children) child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });
});
