#!/usr/bin/env node
// Builds the action images from Debian packages and our scripts, as one OCI image layout: .cache/actions/{oci-layout,index.json,blobs}.
//   [REGISTRY_CREDENTIALS=USER:PASSWORD] node infra/actions/build.mjs [--arch x86_64,aarch64] [--out DIR] [--push HOST:PORT[/PREFIX] [--ca FILE]]
// Without --arch: those of the last build, x86_64 at first. No container engine is needed. Same inputs, same bytes. Without --push a registry is filled by @tinkerbell/registry.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { architectures, readArchitectures } from '../images/tools/architectures.mjs';
import { addBusybox } from '../images/tools/busybox.mjs';
import { libraryClosure } from '../images/tools/elf.mjs';
import { sha256, tar, Tree } from '../images/tools/tree.mjs';
import { lockedPackages, unpack } from '../setup/debs.mjs';
import { run, SetupError } from '../setup/shell.mjs';

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(resolve(here, '../..'));
const note = (text) => console.log(`actions: ${text}`);

const actions = ['hello-world', 'image2disk', 'writefile', 'disk-wipe', 'reboot'];
/** What an action's image has beside busybox and the scripts. */
const extraPrograms = { image2disk: ['usr/bin/curl', 'usr/bin/zstd', 'usr/bin/xz', 'usr/bin/bzip2'] };
const roots = ['busybox-static', 'curl', 'zstd', 'xz-utils', 'bzip2', 'ca-certificates'];
/** Files in layers have no date worth keeping; a fixed one makes the same layer again. */
const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? 0);

async function main() {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string' },
      out: { type: 'string', default: '.cache/actions' },
      push: { type: 'string' },
      ca: { type: 'string' },
    },
  });
  const stamp = join(values.out, 'inputs.json');
  const before = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '{}';
  const platforms = [];
  for (const architecture of readArchitectures(values.arch, JSON.parse(before).architectures)) {
    const { debian } = architectures[architecture];
    const packages = await lockedPackages(`actions-${architecture}`, roots, note, debian);
    platforms.push({ architecture, packages });
  }
  const inputs = describeInputs(platforms);
  if (before === inputs) note(`found ${actions.length} images in ${values.out}`);
  else await build(platforms, inputs, values.out);
  if (values.push) await push(values);
}

function describeInputs(platforms) {
  const scripts = [
    ...['build.mjs', 'lib/action.sh', ...actions.map((name) => `${name}/action.sh`)].map((name) => join(here, name)),
    ...readdirSync(join(here, '../images/tools')).map((name) => join(here, '../images/tools', name)),
  ];
  const digests = scripts
    .filter((file) => /\.(mjs|sh)$/.test(file))
    .sort()
    .map((file) => [basename(file), sha256(readFileSync(file))]);
  return JSON.stringify({
    architectures: platforms.map(({ architecture }) => architecture),
    packages: platforms.map(({ packages }) => packages.map(({ name, version, sha256: hash }) => [name, version, hash])),
    digests,
    seconds,
  });
}

async function build(platforms, inputs, out) {
  const began = Date.now();
  await mkdir(dirname(out), { recursive: true });
  const work = await mkdtemp(join(dirname(out), 'actions-'));
  try {
    const layout = join(work, 'layout');
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
    const images = new Map(actions.map((name) => [name, []]));
    for (const { architecture, packages } of platforms) {
      const debs = join(work, architecture);
      await unpack(packages, debs);
      const base = await addLayer(layout, baseTree(debs));
      for (const name of actions) {
        const layers = [base, ...(await toolsLayer(layout, extraPrograms[name], debs, architecture))];
        images.get(name).push(await addImage(layout, architecture, name, layers));
      }
    }
    const manifests = [];
    for (const [name, each] of images) manifests.push(await addName(layout, name, each));
    const index = { schemaVersion: 2, mediaType: indexType, manifests };
    await writeFile(join(layout, 'index.json'), JSON.stringify(index, null, 2));
    await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await writeFile(join(layout, 'inputs.json'), inputs);
    await replace(layout, out);
    note(`built ${actions.join(', ')} in ${out} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function replace(fresh, target) {
  const old = `${target}.old-${process.pid}`;
  if (existsSync(target)) await rename(target, old);
  await rename(fresh, target);
  await rm(old, { recursive: true, force: true });
}

/** Busybox and every script: an engine works longer on a layer of its own for one of them than on all of them in this one. */
function baseTree(debs) {
  const tree = new Tree();
  for (const folder of ['proc', 'sys', 'dev', 'etc', 'root', 'run']) tree.folder(folder);
  tree.folder('tmp', 0o1777);
  tree.text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n').text('etc/group', 'root:x:0:\n');
  addBusybox(
    tree,
    ['bin/busybox', 'usr/bin/busybox'].map((path) => join(debs, path)).find((path) => existsSync(path)),
  );
  for (const name of actions) tree.file(`actions/${name}`, join(here, name, 'action.sh'), 0o755);
  return tree.file('lib/action.sh', join(here, 'lib/action.sh'));
}

async function toolsLayer(layout, extra, debs, architecture) {
  if (!extra) return [];
  const tools = new Tree();
  const files = extra.map((path) => [
    path,
    [path, path.replace(/^usr\//, '')].map((each) => join(debs, each)).find((each) => existsSync(each)),
  ]);
  // /usr/bin comes first in PATH: these unpackers are faster than busybox's own.
  for (const [path, file] of files) tools.file(path, file, 0o755);
  tools.link('usr/bin/bunzip2', 'bzip2');
  const programs = files.map(([, file]) => file);
  for (const [path, file] of libraryClosure(debs, programs, architecture)) tools.file(path, file, 0o755);
  const certificates = join(debs, 'usr/share/ca-certificates/mozilla');
  const bundle = readdirSync(certificates)
    .sort()
    .map((file) => readFileSync(join(certificates, file), 'utf8').trimEnd());
  tools.text('etc/ssl/certs/ca-certificates.crt', `${bundle.join('\n')}\n`);
  return [await addLayer(layout, tools)];
}

async function addBlob(layout, bytes) {
  const digest = sha256(bytes);
  await writeFile(join(layout, 'blobs/sha256', digest), bytes);
  return { digest: `sha256:${digest}`, size: bytes.length };
}

/** Not compressed: the machine that unpacks it often has more network than CPU, an emulated one certainly. */
async function addLayer(layout, tree) {
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await addBlob(layout, tar(tree, seconds))) };
}

async function addImage(layout, architecture, name, layers) {
  const created = new Date(seconds * 1000).toISOString();
  const platform = { architecture: architectures[architecture].debian, os: 'linux' };
  const config = {
    created,
    ...platform,
    // A command and no entry point: a template's `command`, `on-failure` and `on-timeout` replace it.
    config: { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: [`/actions/${name}`], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created, created_by: 'infra/actions/build.mjs' })),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      ...(await addBlob(layout, Buffer.from(JSON.stringify(config)))),
    },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  const blob = await addBlob(layout, Buffer.from(JSON.stringify(manifest)));
  return { mediaType: manifest.mediaType, ...blob, platform };
}

const indexType = 'application/vnd.oci.image.index.v1+json';

/** An image for one platform stands for itself; for several, an index lets each engine take its own. */
async function addName(layout, name, images) {
  const annotations = { 'org.opencontainers.image.ref.name': `${name}:latest` };
  const [{ mediaType, digest, size }] = images;
  if (images.length === 1) return { mediaType, digest, size, annotations };
  const index = { schemaVersion: 2, mediaType: indexType, manifests: images };
  return { mediaType: indexType, ...(await addBlob(layout, Buffer.from(JSON.stringify(index)))), annotations };
}

async function push({ out, push: registry, ca }) {
  // For us alone (mode 0700): a secret on a command line could be read by every user of the machine.
  const folder = await mkdtemp(join(dirname(out), 'push-'));
  try {
    if (ca) await cp(ca, join(folder, 'ca.crt'));
    const credentials = process.env.REGISTRY_CREDENTIALS;
    const login = join(folder, 'auth.json');
    if (credentials) {
      const auth = Buffer.from(credentials).toString('base64');
      await writeFile(login, JSON.stringify({ auths: { [registry.split('/')[0]]: { auth } } }), { mode: 0o600 });
    }
    for (const name of actions) {
      const flags = [...(ca ? ['--dest-cert-dir', folder] : []), ...(credentials ? ['--dest-authfile', login] : [])];
      await run('skopeo', [
        'copy',
        '-q',
        '--all',
        ...flags,
        `oci:${out}:${name}:latest`,
        `docker://${registry}/${name}:latest`,
      ]);
      note(`pushed ${registry}/${name}:latest`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main().catch((error) => {
  if (!(error instanceof SetupError)) throw error;
  console.error(`actions: ${error.message}`);
  process.exitCode = 1;
});
