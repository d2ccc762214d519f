// Finds the programs that our sources start, so that none can be called without being installed first.
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { needs } from './needs.mjs';

/** Part of every Debian (essential packages, apt) or of Node, without which setup itself does not run. */
const always = new Set(
  `sh bash cat cp dd du env false find grep gzip ls mkdir mkfifo script sleep tar timeout touch true
   flock dpkg dpkg-deb dpkg-query apt-get apt-cache node npm npx nsenter setpriv`.split(/\s+/),
);
/** Made ready by setup in another way: unpacked into .cache, or compilers, which are only needed in one case. */
const otherwise = new Set(['nats-server', 'node_modules']);

const runners = /^(spawn|spawnSync|exec|execFile|execFileSync|execSync|execute|execFileAsync|run|runIn|spawnIn)$/;
const lookers = /^(existsSync|has|present)$/;
const lists = /^(tools?|missing)$/;
const programName = /^(\/(?:usr\/)?(?:local\/)?s?bin\/)?([a-z][a-z0-9_.+-]*)$/;

const files = ['apps', 'libs', 'infra', 'events', 'test']
  .flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => `${root}/${name}`))
  .filter((file) => /\.(ts|mjs)$/.test(file) && !/node_modules|\/(dist|web)\/|^infra\/setup\//.test(file));
const sources = (pattern: RegExp) => files.filter((file) => pattern.test(file));
const isTest = (file: string) => /\.spec\.ts$|\/testing(\/|\.ts)|\.testing\.ts$/.test(file);

/** Programs that a source starts, asks for by path, or lists as tools that it wants. */
function programsIn(file: string, text: string): ReadonlySet<string> {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const constants = new Map<string, readonly string[]>();
  const found = new Set<string>();
  const values = (node: ts.Node | undefined): readonly string[] => {
    if (!node) return [];
    if (ts.isStringLiteralLike(node)) return [node.text];
    if (ts.isConditionalExpression(node)) return [...values(node.whenTrue), ...values(node.whenFalse)];
    if (ts.isIdentifier(node)) return constants.get(node.text) ?? [];
    return [];
  };
  const add = (names: readonly string[]) => {
    for (const name of names) {
      const match = programName.exec(name);
      if (match?.[2]) found.add(match[2]);
    }
  };
  const call = (node: ts.CallExpression, callee: string) => {
    const [first, second] = node.arguments;
    if (lookers.test(callee)) return add(values(first).filter((value) => /^\/(usr\/)?s?bin\//.test(value)));
    if (!runners.test(callee) && !(callee === 'start' && /\/run'/.test(text))) return;
    if (!/In$/.test(callee)) add(values(first));
    else if (second && ts.isArrayLiteralExpression(second)) add(values(second.elements[0]));
  };
  const elements = (list: ts.ArrayLiteralExpression) => {
    list.elements.forEach((element, i) => {
      const before = list.elements[i - 1];
      if (before && values(before)[0] === '--') add(values(element)); // setpriv … -- program
    });
    const owner = list.parent;
    const name =
      ts.isParameter(owner) || ts.isVariableDeclaration(owner)
        ? owner.name.getText(tree)
        : ts.isForOfStatement(owner) && ts.isVariableDeclarationList(owner.initializer)
          ? (owner.initializer.declarations[0]?.name.getText(tree) ?? '')
          : '';
    if (lists.test(name)) add(list.elements.flatMap(values));
  };
  const visit = (node: ts.Node, pass: 'constants' | 'calls'): void => {
    if (pass === 'constants' && ts.isVariableDeclaration(node) && ts.isIdentifier(node.name))
      constants.set(node.name.text, values(node.initializer));
    if (pass === 'calls') {
      if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) call(node, node.expression.text);
      if (ts.isArrayLiteralExpression(node)) elements(node);
      if (ts.isStringLiteralLike(node) && node.text.startsWith('qemu-system-')) add([node.text]);
    }
    node.forEachChild((child) => visit(child, pass));
  };
  visit(tree, 'constants');
  visit(tree, 'calls');
  return found;
}

const seen = new Map<string, ReadonlySet<string>>();
const startedBy = (file: string) => {
  const known = seen.get(file) ?? programsIn(file, readFileSync(file, 'utf8'));
  seen.set(file, known);
  return known;
};

/** Of what the files start, what the purpose does not install, as `program (file)`. */
function unlisted(purpose: keyof typeof needs, from: readonly string[], elsewhere: readonly string[] = []) {
  const listed = new Set(needs[purpose].flatMap((need) => need.files.map((file) => file.replace(/.*\//, ''))));
  const known = (name: string) =>
    always.has(name) || otherwise.has(name) || elsewhere.includes(name) || listed.has(name);
  return from.flatMap((file) => [...startedBy(file)].filter((name) => !known(name)).map((name) => `${name} (${file})`));
}

const apps = sources(/^(apps\/[^/]+\/src|libs)\//).filter((file) => !isTest(file));
const platform = sources(/^infra\/((osie|actions|nats|registry)|images\/tools)\//).filter((file) => !isTest(file));
const byHand = ['skopeo']; // infra/actions/build.mjs --push, which none of our commands calls
const demo = [
  ...sources(/^infra\/(images|worker-image)\/|^test\/demo\/src\/|^test\/pxe-vm\//).filter((file) => !isTest(file)),
  'apps/tink-worker/src/testing/start-dockerd.ts',
];

describe('the system tools that setup installs', { timeout: 60_000 }, () => {
  it('are found in the sources', () => {
    expect(files.length).toBeGreaterThan(300);
    const found = (file: string) => [...startedBy(file)];
    expect(found('test/interop/dhcp-peers.int.spec.ts')).toEqual(
      expect.arrayContaining(['dhclient', 'busybox', 'dnsmasq']),
    );
    expect(found('infra/actions/testing.ts')).toEqual(
      expect.arrayContaining(['dockerd', 'docker', 'skopeo', 'losetup']),
    );
    expect(programsIn('x.ts', "spawn('setpriv', ['--', 'new-tool', '-x']); run('other');")).toEqual(
      new Set(['setpriv', 'new-tool', 'other']),
    );
  });

  it('for start are all that it calls', () => expect(unlisted('start', [...apps, ...platform], byHand)).toEqual([]));

  it('for the demo are all that it calls', () =>
    expect(unlisted('demo', [...apps, ...platform, ...demo], [...byHand, 'qemu-system-aarch64'])).toEqual([]));

  // The program's name is a setting of boots (BOOTS_RADVD), which no scan finds.
  it.each(['start', 'demo', 'test'] as const)('for %s have radvd', (purpose) =>
    expect(needs[purpose]).toContainEqual({ packages: ['radvd'], files: ['radvd'] }),
  );

  it('for bench are all that it calls', () =>
    expect(
      unlisted(
        'bench',
        sources(/^(test\/bench|infra\/nats)\//).filter((file) => !isTest(file)),
      ),
    ).toEqual([]));

  it('for chaos are all that it calls', () => {
    const chaos = sources(/^(test\/chaos|infra\/nats|apps\/tink-server\/src)\//).filter((file) => !isTest(file));
    expect(unlisted('chaos', [...chaos, 'test/interop/net/namespace.ts'])).toEqual([]);
  });

  it('for the tests are all that anything but the benches calls', () =>
    expect(
      unlisted(
        'test',
        files.filter((file) => !file.startsWith('test/bench/')),
      ),
    ).toEqual([]));

  it('are called by something', () => {
    const called = new Set(files.flatMap((file) => [...startedBy(file)]));
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    const used = (file: string) =>
      called.has(file.replace(/.*\/s?bin\//, '')) || text.includes(file.startsWith('/') ? file : `'${file}'`);
    // Found by other means: a shell line in busybox.mjs, the library of python3, what ipxe-qemu and syslinux-common are named by.
    const indirect = /^\/usr\/lib\/|^xz$|_VARS_4M/;
    const idle = needs.test.flatMap(({ files }) => files).filter((file) => !used(file) && !indirect.test(file));
    expect(idle).toEqual([]);
  });
});
