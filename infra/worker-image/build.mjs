#!/usr/bin/env node
// Builds the worker as a container image, for hosts that have an engine and no OSIE: the same Node, the same bundle.
//   node infra/worker-image/build.mjs [--out DIR]
// Result: .cache/worker-image/rootfs.tar and import.json with the settings for `docker import`. Same inputs, same bytes.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { addBusybox } from '../images/tools/busybox.mjs';
import { libraryClosure } from '../images/tools/elf.mjs';
import { sha256, tar, Tree } from '../images/tools/tree.mjs';
import { fetchNode, nodeRelease } from '../osie/node-release.mjs';
import { lockedPackages, unpack } from '../setup/debs.mjs';
import { takeFolder } from '../setup/lock.mjs';
import { SetupError } from '../setup/shell.mjs';

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(resolve(here, '../..'));
const note = (text) => console.log(`worker image: ${text}`);
const bundle = 'dist/apps/tink-worker';
const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? 0);
/** What `docker import --change` is told. */
const changes = ['ENV PATH=/usr/bin:/bin', 'WORKDIR /', 'CMD ["/usr/bin/node", "/opt/tink-worker/main.js"]'];

async function main() {
  const { values } = parseArgs({ options: { out: { type: 'string', default: '.cache/worker-image' } } });
  if (!existsSync(join(bundle, 'main.js')))
    throw new SetupError(`there is no worker at ${bundle}: run npm run build first`);
  takeFolder(values.out, note);
  const packages = await lockedPackages('worker-image', ['busybox-static', 'libstdc++6', 'libatomic1'], note);
  const scripts = readFileSync(join(here, 'build.mjs'));
  const inputs = sha256(
    JSON.stringify([packages, nodeRelease(), sha256(readFileSync(join(bundle, 'main.js'))), sha256(scripts), seconds]),
  );
  const facts = join(values.out, 'import.json');
  if (existsSync(facts) && JSON.parse(readFileSync(facts, 'utf8')).inputs === inputs) {
    note(`found ${values.out}`);
    return;
  }
  const work = await mkdtemp(join(values.out, 'work-'));
  try {
    const debs = join(work, 'debs');
    await unpack(packages, debs);
    const node = await fetchNode(work);
    const tree = new Tree();
    for (const folder of ['proc', 'sys', 'dev', 'etc', 'run', 'var/lib/tink-worker']) tree.folder(folder);
    tree.folder('tmp', 0o1777).text('etc/passwd', 'root:x:0:0:root:/:/bin/sh\n').text('etc/group', 'root:x:0:\n');
    addBusybox(
      tree,
      ['bin/busybox', 'usr/bin/busybox'].map((path) => join(debs, path)).find((path) => existsSync(path)),
    );
    tree.file('usr/bin/node', node, 0o755).file('opt/tink-worker/main.js', join(bundle, 'main.js'));
    if (existsSync(join(bundle, 'boot.js'))) tree.file('opt/tink-worker/boot.js', join(bundle, 'boot.js'));
    for (const [path, file] of libraryClosure(debs, [node])) tree.file(path, file, 0o755);
    await writeFile(join(work, 'rootfs.tar'), tar(tree, seconds));
    await rename(join(work, 'rootfs.tar'), join(values.out, 'rootfs.tar'));
    await writeFile(facts, `${JSON.stringify({ inputs, changes }, null, 2)}\n`);
    note(`built ${join(values.out, 'rootfs.tar')}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

await main().catch((error) => {
  if (!(error instanceof SetupError)) throw error;
  console.error(`worker image: ${error.message}`);
  process.exitCode = 1;
});
