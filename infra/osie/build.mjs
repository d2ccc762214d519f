#!/usr/bin/env node
// Builds the in-memory OS that a machine boots to run its workflow: kernel, small initramfs, root file system.
//   node infra/osie/build.mjs [--worker FILE] [--kernel cloud|full] [--out DIR] [--force]
// Result: .cache/osie/<digest of all inputs>/ and the link .cache/osie/current to it. Same inputs, same bytes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpio, sha256, Tree, writeFolder } from '../images/tools/tree.mjs';
import { run, SetupError } from '../setup/shell.mjs';
import { baseInputs, buildBase, kernels, squash } from './base.mjs';

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(resolve(here, '../..'));
const note = (text) => console.log(`osie: ${text}`);

async function main() {
  const { values } = parseArgs({
    options: {
      worker: { type: 'string', default: 'dist/apps/tink-worker/main.js' },
      kernel: { type: 'string', default: 'cloud' },
      out: { type: 'string', default: '.cache/osie' },
      force: { type: 'boolean', default: false },
    },
  });
  if (!(values.kernel in kernels)) throw new SetupError(`--kernel ${values.kernel}: use cloud or full`);
  if (!existsSync(values.worker))
    throw new SetupError(`there is no worker at ${values.worker}: run npm run build first`);
  const base = await baseInputs(values.kernel, note);
  const inputs = { base, worker: sha256(readFileSync(values.worker)), scripts: scriptsDigest() };
  const digest = sha256(JSON.stringify(inputs)).slice(0, 16);
  const target = join(values.out, digest);
  const baseFolder = join(values.out, `base-${base.digest}`);
  if (values.force) for (const folder of [target, baseFolder]) await rm(folder, { recursive: true, force: true });
  await mkdir(values.out, { recursive: true });
  if (existsSync(join(target, 'manifest.json'))) note(`found ${target}`);
  else {
    const began = Date.now();
    if (!existsSync(join(baseFolder, 'base.json'))) await buildBase(base, baseFolder);
    await build(inputs, baseFolder, values.worker, target);
    const sizes = [];
    for (const name of outputs) sizes.push(`${name} ${((await stat(join(target, name))).size / 1e6).toFixed(1)} MB`);
    note(`built ${target}: ${sizes.join(', ')} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  }
  await pointTo(join(values.out, 'current'), digest);
  await forgetOld(values.out, [digest, `base-${base.digest}`]);
}

const outputs = ['vmlinuz-x86_64', 'initramfs-x86_64', 'rootfs-x86_64'];

function scriptsDigest() {
  const files = readdirSync(join(here, 'files')).sort();
  return sha256(files.map((name) => `${name} ${sha256(readFileSync(join(here, 'files', name)))}`).join());
}

/** Adds to the base what changes often: our scripts and the worker, as a second, small squashfs laid over the first. */
async function build(inputs, baseFolder, worker, target) {
  const work = await mkdtemp(join(dirname(target), 'work-'));
  try {
    const { seconds, kernelVersion } = JSON.parse(readFileSync(join(baseFolder, 'base.json'), 'utf8'));
    const out = join(work, 'out');
    await mkdir(out);
    await cp(join(baseFolder, 'vmlinuz'), join(out, 'vmlinuz-x86_64'));
    const init = cpio(new Tree().file('init', join(here, 'files/init'), 0o755), seconds);
    await writeFile(join(work, 'initramfs'), Buffer.concat([readFileSync(join(baseFolder, 'early.cpio')), init]));
    const packing = ['-q', '-19', '-T1', '--no-check', '-f'];
    await run('zstd', [...packing, join(work, 'initramfs'), '-o', join(out, 'initramfs-x86_64')]);
    const top = new Tree()
      .file('opt/tink-worker/main.js', worker)
      .file('etc/udhcpc.sh', join(here, 'files/udhcpc.sh'), 0o755);
    for (const name of ['osie-init', 'osie-reboot']) top.file(`sbin/${name}`, join(here, 'files', name), 0o755);
    writeFolder(top, join(work, 'top'), seconds);
    await squash(join(work, 'top'), join(work, 'top.sqfs'), seconds);
    const files = new Tree().file('root.sqfs', join(baseFolder, 'root.sqfs')).file('top.sqfs', join(work, 'top.sqfs'));
    // Uncompressed around the compressed squashfs: the kernel only copies it, and reads blocks of it when they are needed.
    await writeFile(join(out, 'rootfs-x86_64'), cpio(files, seconds));
    const described = outputs.map((name) => {
      const bytes = readFileSync(join(out, name));
      return { name, bytes: bytes.length, sha256: sha256(bytes) };
    });
    const manifest = { ...inputs, kernelVersion, built: new Date(seconds * 1000).toISOString(), files: described };
    await writeFile(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await rm(target, { recursive: true, force: true });
    await rename(out, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
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
