import { describe, expect, it } from 'vitest';
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
