#!/usr/bin/env node
// Builds the in-memory OS that a machine boots to run its workflow: kernel, small initramfs, root file system, and netroot, which fetches it.
//   node infra/osie/build.mjs [--arch x86_64,aarch64] [--worker FILE] [--kernel cloud|full] [--out DIR] [--force]
// Result: .cache/osie/<digest of all inputs>/ and the link .cache/osie/current to it. Same inputs, same bytes.
// Without --arch: those of the current build, x86_64 at first.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readArchitectures } from '../images/tools/architectures.mjs';
import { cpio, sha256, Tree, writeFolder } from '../images/tools/tree.mjs';
import { takeFolder } from '../setup/lock.mjs';
import { run, SetupError } from '../setup/shell.mjs';
import { baseInputs, buildBase, kernels, squash } from './base.mjs';

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(resolve(here, '../..'));
const note = (text) => console.log(`osie: ${text}`);

async function main() {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string' },
      worker: { type: 'string', default: 'dist/apps/tink-worker/main.js' },
      kernel: { type: 'string', default: 'cloud' },
      out: { type: 'string', default: '.cache/osie' },
      force: { type: 'boolean', default: false },
    },
  });
  if (!kernels.includes(values.kernel)) throw new SetupError(`--kernel ${values.kernel}: use cloud or full`);
  if (!existsSync(values.worker))
    throw new SetupError(`there is no worker at ${values.worker}: run npm run build first`);
  takeFolder(values.out, note);
  const bases = [];
  for (const arch of readArchitectures(values.arch, currentArchitectures(values.out)))
    bases.push(await baseInputs(values.kernel, arch, note));
  const inputs = { bases, worker: sha256(readFileSync(values.worker)), scripts: scriptsDigest() };
  const digest = sha256(JSON.stringify(inputs)).slice(0, 16);
  const target = join(values.out, digest);
  const folderOf = (base) => join(values.out, `base-${base.digest}`);
  if (values.force)
    for (const folder of [target, ...bases.map(folderOf)]) await rm(folder, { recursive: true, force: true });
  if (existsSync(join(target, 'manifest.json'))) note(`found ${target}`);
  else {
    const began = Date.now();
    for (const base of bases) if (!existsSync(join(folderOf(base), 'base.json'))) await buildBase(base, folderOf(base));
    const files = await build(inputs, folderOf, values.worker, target);
    const sizes = files.map(({ name, bytes }) => `${name} ${(bytes / 1e6).toFixed(1)} MB`);
    note(`built ${target}: ${sizes.join(', ')} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  }
  await pointTo(join(values.out, 'current'), digest);
  await forgetOld(values.out, [digest, ...bases.map((base) => `base-${base.digest}`)]);
}

/** undefined without a build. */
function currentArchitectures(out) {
  const manifest = join(out, 'current/manifest.json');
  if (!existsSync(manifest)) return undefined;
  return JSON.parse(readFileSync(manifest, 'utf8')).bases?.map(({ architecture }) => architecture);
}

function scriptsDigest() {
  const files = readdirSync(join(here, 'files')).sort();
  return sha256(files.map((name) => `${name} ${sha256(readFileSync(join(here, 'files', name)))}`).join());
}

/** Adds to the bases what changes often: our scripts and the worker, as a second, small squashfs laid over the first. */
async function build(inputs, folderOf, worker, target) {
  const work = await mkdtemp(join(dirname(target), 'work-'));
  try {
    const out = join(work, 'out');
    await mkdir(out);
    const systems = [];
    for (const base of inputs.bases) systems.push(await addSystem(base.architecture, folderOf(base), worker, work));
    const files = (await readdir(out)).sort().map((name) => {
      const bytes = readFileSync(join(out, name));
      return { name, bytes: bytes.length, sha256: sha256(bytes) };
    });
    const manifest = { ...inputs, systems, files };
    await writeFile(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await rm(target, { recursive: true, force: true });
    await rename(out, target);
    return files;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Writes kernel, initramfs, netroot and rootfs of one architecture into `work`/out. */
async function addSystem(architecture, baseFolder, worker, work) {
  const out = (name) => join(work, 'out', `${name}-${architecture}`);
  const { seconds, kernelVersion } = JSON.parse(readFileSync(join(baseFolder, 'base.json'), 'utf8'));
  await cp(join(baseFolder, 'vmlinuz'), out('vmlinuz'));
  const script = (tree, path, mode) => tree.file(path, join(here, 'files', basename(path)), mode);
  const network = (tree) => script(script(tree, 'etc/network.sh', 0o644), 'etc/udhcpc.sh', 0o755);
  const pack = async (name, base, tree) => {
    await writeFile(join(work, name), Buffer.concat([readFileSync(join(baseFolder, base)), cpio(tree, seconds)]));
    await run('zstd', ['-q', '-19', '-T1', '--no-check', '-f', join(work, name), '-o', out(name)]);
  };
  await pack('initramfs', 'early.cpio', script(new Tree(), 'init', 0o755));
  await pack('netroot', 'cards.cpio', network(script(new Tree(), 'netroot', 0o644)));
  const top = network(new Tree().file('opt/tink-worker/main.js', worker));
  script(script(top, 'etc/dhcpcd.conf', 0o644), 'etc/dhcpcd.sh', 0o755);
  for (const name of ['osie-init', 'osie-reboot']) script(top, `sbin/${name}`, 0o755);
  const [folder, image] = [join(work, `top-${architecture}`), join(work, `top-${architecture}.sqfs`)];
  writeFolder(top, folder, seconds);
  await squash(folder, image, seconds);
  const files = new Tree().file('root.sqfs', join(baseFolder, 'root.sqfs')).file('top.sqfs', image);
  // Uncompressed around the compressed squashfs: the kernel only copies it, and reads blocks of it when they are needed.
  await writeFile(out('rootfs'), cpio(files, seconds));
  return { architecture, kernelVersion, built: new Date(seconds * 1000).toISOString() };
}

/** In one step, so that whoever reads the link sees the old or the new build. */
async function pointTo(link, name) {
  const fresh = `${link}.${process.pid}`;
  await symlink(name, fresh);
  await rename(fresh, link);
}

/** A build is 100 MB: the current one and the four newest others stay, for a machine that is just loading one. */
async function forgetOld(folder, keep) {
  const old = [];
  for (const name of await readdir(folder)) {
    if (!/^(base-)?[0-9a-f]{16}$/.test(name) || keep.includes(name)) continue;
    old.push({ path: join(folder, name), time: (await stat(join(folder, name))).mtimeMs });
  }
  for (const { path } of old.sort((a, b) => b.time - a.time).slice(4)) await rm(path, { recursive: true, force: true });
}

await main().catch((error) => {
  if (!(error instanceof SetupError)) throw error;
  console.error(`osie: ${error.message}`);
  process.exitCode = 1;
});
