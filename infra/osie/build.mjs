#!/usr/bin/env node
// Builds the in-memory OS that a machine boots to run its workflow: kernel, small initramfs, root file system.
//   node infra/osie/build.mjs [--worker FILE] [--kernel cloud|full] [--out DIR] [--force]
// Result: .cache/osie/<digest of all inputs>/ and the link .cache/osie/current to it. Same inputs, same bytes.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { addBusybox, addModules, moduleIndex } from '../images/tools/busybox.mjs';
import { libraryClosure } from '../images/tools/elf.mjs';
import { cpio, sha256, Tree, writeFolder } from '../images/tools/tree.mjs';
import { lockedPackages, unpack } from '../setup/debs.mjs';
import { run, SetupError } from '../setup/shell.mjs';
import { fetchNode, nodeRelease } from './node-release.mjs';

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(resolve(here, '../..'));
const note = (text) => console.log(`osie: ${text}`);

const kernels = { cloud: 'linux-image-cloud-amd64', full: 'linux-image-amd64' };
const programs = ['docker.io', 'containerd', 'runc', 'busybox-static', 'libstdc++6', 'libatomic1'];
/** Enough to mount the root file system, which arrives with the initramfs. */
const earlyModules = ['loop', 'squashfs', 'overlay'];
const lateModules = [
  ...['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_rng', 'virtio_scsi', 'virtio_console', 'virtio_balloon'],
  ...['ata_piix', 'ata_generic', 'ahci', 'sd_mod', 'sr_mod', 'nvme', 'usb_storage', 'uas', 'xhci_pci', 'ehci_pci'],
  ...[
    'ext4',
    'vfat',
    'xfs',
    'btrfs',
    'nls_cp437',
    'nls_ascii',
    'nls_utf8',
    'dm_mod',
    'raid1',
    'raid0',
    '8021q',
    'bonding',
    'tun',
  ],
  ...['overlay', 'loop', 'squashfs', 'iso9660', 'bridge', 'veth', 'efivarfs'],
];
const everyDriver = [
  'drivers/net/ethernet/',
  'drivers/net/phy/',
  'drivers/scsi/',
  'drivers/ata/',
  'drivers/nvme/host/',
  'drivers/md/',
];
const drivers = {
  cloud: [
    'drivers/net/ethernet/intel/',
    'drivers/net/ethernet/amazon/',
    'drivers/net/ethernet/google/',
    'drivers/net/vmxnet3/',
    'drivers/net/hyperv/',
    'drivers/scsi/',
    'drivers/ata/',
    'drivers/nvme/host/',
  ],
  full: everyDriver,
};

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
  const packages = await lockedPackages(`osie-${values.kernel}`, [kernels[values.kernel], ...programs], note);
  const inputs = describeInputs(packages, values);
  const target = join(values.out, inputs.digest);
  if (values.force) await rm(target, { recursive: true, force: true });
  if (!existsSync(join(target, 'manifest.json'))) {
    await mkdir(values.out, { recursive: true });
    await build(packages, inputs, values, target);
  } else note(`found ${target}`);
  await pointTo(join(values.out, 'current'), inputs.digest);
}

/** Everything that decides about a byte of the result. */
function describeInputs(packages, { worker, kernel }) {
  const scripts = [
    ...readdirSync(join(here, 'files')).map((name) => join(here, 'files', name)),
    ...['build.mjs', 'node-release.mjs'].map((name) => join(here, name)),
    ...['busybox.mjs', 'elf.mjs', 'tree.mjs'].map((name) => join(here, '../images/tools', name)),
  ].sort();
  const first = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0];
  const inputs = {
    kernel,
    packages: packages.map(({ name, version, sha256: hash }) => ({ name, version, sha256: hash })),
    node: nodeRelease,
    worker: sha256(readFileSync(worker)),
    scripts: sha256(scripts.map((file) => sha256(readFileSync(file))).join()),
    tools: [first('mksquashfs', '-version'), first('zstd', '--version'), first('depmod', '--version')],
    epoch: process.env.SOURCE_DATE_EPOCH ?? null,
  };
  return { ...inputs, digest: sha256(JSON.stringify(inputs)).slice(0, 16) };
}

async function build(packages, inputs, { worker }, target) {
  const began = Date.now();
  const work = await mkdtemp(join(dirname(target), 'work-'));
  try {
    const debs = join(work, 'debs');
    await unpack(packages, debs);
    const node = await fetchNode(work);
    const kernel = kernelImage(debs);
    // The kernel's own date: independent of when and where this runs.
    const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? Math.floor(statSync(kernel).mtimeMs / 1000));
    const modules = moduleIndex(debs);
    const out = join(work, 'out');
    await mkdir(out);
    await writeFile(join(out, 'vmlinuz-x86_64'), await readFile(kernel));
    await initramfs(join(out, 'initramfs-x86_64'), { debs, modules, work, seconds });
    await rootfs(join(out, 'rootfs-x86_64'), {
      debs,
      modules,
      work,
      seconds,
      node,
      worker,
      drivers: drivers[inputs.kernel],
    });
    const files = ['vmlinuz-x86_64', 'initramfs-x86_64', 'rootfs-x86_64'].map((name) => {
      const bytes = readFileSync(join(out, name));
      return { name, bytes: bytes.length, sha256: sha256(bytes) };
    });
    await writeFile(
      join(out, 'manifest.json'),
      `${JSON.stringify({ ...inputs, kernelVersion: modules.version, files }, null, 2)}\n`,
    );
    await rm(target, { recursive: true, force: true });
    await rename(out, target);
    const sizes = files.map(({ name, bytes }) => `${name} ${(bytes / 1e6).toFixed(1)} MB`).join(', ');
    note(`built ${target}: ${sizes} (${((Date.now() - began) / 1000).toFixed(0)} s)`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function kernelImage(debs) {
  const name = readdirSync(join(debs, 'boot')).find((file) => file.startsWith('vmlinuz-'));
  if (!name) throw new SetupError('the kernel package has no /boot/vmlinuz-…');
  return join(debs, 'boot', name);
}

async function initramfs(file, { debs, modules, work, seconds }) {
  const tree = new Tree();
  for (const folder of ['proc', 'sys', 'dev', 'ro', 'rw', 'newroot']) tree.folder(folder);
  tree.console('dev/console').file('init', join(here, 'files/init'), 0o755);
  addBusybox(tree, busybox(debs));
  addModules(tree, modules, earlyModules, work);
  await writeFile(`${file}.cpio`, cpio(tree, seconds));
  await run('zstd', ['-q', '-19', '-T1', '--no-check', '-f', `${file}.cpio`, '-o', file]);
  await rm(`${file}.cpio`);
}

/** Uncompressed around the compressed squashfs: the kernel only copies it, and reads blocks of it when they are needed. */
async function rootfs(file, { debs, modules, work, seconds, node, worker, drivers: folders }) {
  const tree = new Tree();
  for (const folder of [
    'dev',
    'proc',
    'sys',
    'run',
    'mnt',
    'root',
    'var/lib/docker',
    'var/log',
    'opt/tink-worker',
    'etc/docker/certs.d',
  ])
    tree.folder(folder);
  tree.folder('tmp', 0o1777).folder('var/tmp', 0o1777).link('var/run', '/run');
  addBusybox(tree, busybox(debs));
  for (const [path, source] of Object.entries(engine(debs))) tree.file(path, source, 0o755);
  tree.file('usr/bin/node', node, 0o755);
  addLibraries(tree, debs, node);
  for (const name of ['osie-init', 'osie-reboot']) tree.file(`sbin/${name}`, join(here, 'files', name), 0o755);
  tree.file('etc/udhcpc.sh', join(here, 'files/udhcpc.sh'), 0o755).file('opt/tink-worker/main.js', worker);
  tree.text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n').text('etc/group', 'root:x:0:\ndocker:x:999:\n');
  tree
    .text('etc/hosts', '127.0.0.1 localhost\n')
    .text('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  tree.text('etc/resolv.conf', '').text('etc/osie-built', `${seconds}\n`);
  addModules(tree, modules, [...lateModules, ...folders], work);
  const folder = join(work, 'root');
  writeFolder(tree, folder, seconds);
  const time = ['-mkfs-time', String(seconds), '-all-time', String(seconds)];
  const packing = ['-comp', 'zstd', '-Xcompression-level', '19', '-b', '256K'];
  const squash = join(work, 'root.sqfs');
  await run(
    'mksquashfs',
    [folder, squash, ...packing, ...time, '-all-root', '-no-xattrs', '-noappend', '-quiet', '-no-progress'],
    {
      env: { ...process.env, SOURCE_DATE_EPOCH: undefined },
    },
  );
  await writeFile(file, cpio(new Tree().file('root.sqfs', squash), seconds));
}

const busybox = (debs) => firstExisting(debs, 'bin/busybox', 'usr/bin/busybox');

function firstExisting(debs, ...paths) {
  const found = paths.map((path) => join(debs, path)).find((path) => existsSync(path));
  if (!found) throw new SetupError(`none of the packages has ${paths.join(' or ')}`);
  return found;
}

/** Path in OSIE → unpacked file. */
function engine(debs) {
  const names = {
    'usr/sbin/dockerd': 'dockerd',
    'usr/bin/containerd': 'containerd',
    'usr/bin/containerd-shim-runc-v2': 'containerd-shim-runc-v2',
    'usr/sbin/runc': 'runc',
  };
  return Object.fromEntries(
    Object.entries(names).map(([path, name]) => [path, firstExisting(debs, `usr/sbin/${name}`, `usr/bin/${name}`)]),
  );
}

function addLibraries(tree, debs, node) {
  for (const [name, file] of libraryClosure(debs, [...Object.values(engine(debs)), node])) {
    const folder = name.startsWith('ld-linux') ? 'lib64' : 'lib/x86_64-linux-gnu';
    tree.file(`${folder}/${name}`, file, 0o755);
  }
}

/** In one step, so that whoever reads the link sees the old or the new build. */
async function pointTo(link, name) {
  const fresh = `${link}.${process.pid}`;
  await symlink(name, fresh);
  await rename(fresh, link);
}

await main().catch((error) => {
  if (!(error instanceof SetupError)) throw error;
  console.error(`osie: ${error.message}`);
  process.exitCode = 1;
});
