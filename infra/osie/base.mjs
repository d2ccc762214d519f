// What changes rarely: kernel, container engine, Node, drivers. Made once per set of package versions.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { architectures } from '../images/tools/architectures.mjs';
import { addBusybox, addModules, moduleIndex } from '../images/tools/busybox.mjs';
import { libraryClosure } from '../images/tools/elf.mjs';
import { cpio, sha256, Tree, writeFolder } from '../images/tools/tree.mjs';
import { lockedPackages, unpack } from '../setup/debs.mjs';
import { run, SetupError } from '../setup/shell.mjs';
import { fetchNode, nodeRelease } from './node-release.mjs';

const here = dirname(fileURLToPath(import.meta.url));

const kernelPackage = {
  cloud: (debian) => `linux-image-cloud-${debian}`,
  full: (debian) => `linux-image-${debian}`,
};
export const kernels = Object.keys(kernelPackage);
const programs = ['docker.io', 'containerd', 'runc', 'busybox-static', 'dhcpcd-base', 'libstdc++6', 'libatomic1'];
/** Enough to mount the root file system, which arrives with the initramfs. */
const earlyModules = ['loop', 'squashfs', 'overlay'];
/** Network cards, to fetch the root file system through. */
const cards = [
  ...['virtio_pci', 'virtio_net', 'xen_netfront', 'usbnet', '8021q'],
  ...['drivers/net/ethernet/', 'drivers/net/phy/', 'drivers/net/vmxnet3/', 'drivers/net/hyperv/'],
];
const modules = [
  ...cards,
  ...['virtio_blk', 'virtio_rng', 'virtio_scsi', 'virtio_console', 'virtio_balloon'],
  ...['ata_piix', 'ata_generic', 'ahci', 'sd_mod', 'sr_mod', 'nvme', 'usb_storage', 'uas', 'xhci_pci', 'ehci_pci'],
  ...['ext4', 'vfat', 'xfs', 'btrfs', 'iso9660', 'nls_cp437', 'nls_ascii', 'nls_utf8', 'efivarfs'],
  ...['dm_mod', 'raid0', 'raid1', 'bonding', 'tun', 'bridge', 'veth', 'overlay', 'loop', 'squashfs'],
  ...['drivers/scsi/', 'drivers/ata/', 'drivers/nvme/host/', 'drivers/message/fusion/'],
];

/** Everything that decides about a byte of the base, with a digest of it. */
export async function baseInputs(kernel, architecture, note) {
  const { debian } = architectures[architecture];
  const roots = [kernelPackage[kernel](debian), ...programs];
  const packages = await lockedPackages(`osie-${kernel}-${architecture}`, roots, note, debian);
  const scripts = [
    'build.mjs',
    'base.mjs',
    'node-release.mjs',
    ...['architectures.mjs', 'busybox.mjs', 'elf.mjs', 'tree.mjs'].map((name) => `../images/tools/${name}`),
  ];
  const first = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }).trim().split('\n')[0];
  const inputs = {
    architecture,
    kernel,
    packages,
    node: nodeRelease(architecture),
    scripts: sha256(scripts.map((name) => sha256(readFileSync(join(here, name)))).join()),
    tools: [first('mksquashfs', '-version'), first('zstd', '--version'), first('depmod', '--version')],
    epoch: process.env.SOURCE_DATE_EPOCH ?? null,
  };
  return { ...inputs, digest: sha256(JSON.stringify(inputs)).slice(0, 16) };
}

/** Makes `folder` with vmlinuz, early.cpio, cards.cpio, root.sqfs and base.json. */
export async function buildBase({ architecture, packages }, folder) {
  const work = await mkdtemp(join(dirname(folder), 'work-'));
  try {
    const debs = join(work, 'debs');
    await unpack(packages, debs);
    const node = await fetchNode(work, architecture);
    const kernel = kernelImage(debs);
    // The kernel's own date: independent of when and where this runs.
    const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? Math.floor(statSync(kernel).mtimeMs / 1000));
    const index = moduleIndex(debs);
    const out = join(work, 'out');
    await mkdir(out);
    await copyFile(kernel, join(out, 'vmlinuz'));
    await writeFile(join(out, 'early.cpio'), cpio(earlyTree(debs, index, work), seconds));
    await writeFile(join(out, 'cards.cpio'), cpio(cardsTree(index, work), seconds));
    writeFolder(rootTree({ architecture, debs, index, work, seconds, node }), join(work, 'root'), seconds);
    await squash(join(work, 'root'), join(out, 'root.sqfs'), seconds);
    await writeFile(join(out, 'base.json'), `${JSON.stringify({ seconds, kernelVersion: index.version })}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(out, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function earlyTree(debs, index, work) {
  const tree = new Tree();
  for (const folder of ['proc', 'sys', 'dev', 'ro', 'top', 'rw', 'newroot']) tree.folder(folder);
  tree.console('dev/console');
  addBusybox(tree, busybox(debs));
  addModules(tree, index, earlyModules, work);
  return tree;
}

/** Unpacked over the early tree, whose index of modules it replaces: so the early ones are in it too. */
function cardsTree(index, work) {
  const tree = new Tree();
  addModules(tree, index, [...earlyModules, ...cards], work);
  return tree;
}

function rootTree({ architecture, debs, index, work, seconds, node }) {
  const tree = new Tree();
  for (const folder of [
    'dev',
    'proc',
    'sys',
    'run',
    'mnt',
    'root',
    'opt',
    'var/lib/docker',
    'var/lib/dhcpcd',
    'var/log',
    'etc/docker/certs.d',
  ])
    tree.folder(folder);
  tree.folder('tmp', 0o1777).folder('var/tmp', 0o1777).link('var/run', '/run');
  addBusybox(tree, busybox(debs));
  tree.link('sbin/modprobe', '../bin/busybox'); // where the kernel asks for a file system's module
  const dhcpcd = firstExisting(debs, 'usr/sbin/dhcpcd', 'sbin/dhcpcd');
  const binaries = { ...engine(debs), 'usr/bin/node': node, 'usr/sbin/dhcpcd': dhcpcd };
  for (const [path, source] of Object.entries(binaries)) tree.file(path, source, 0o755);
  for (const [path, file] of libraryClosure(debs, Object.values(binaries), architecture)) tree.file(path, file, 0o755);
  tree.text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n').text('etc/group', 'root:x:0:\ndocker:x:999:\n');
  tree.text('etc/hosts', '127.0.0.1 localhost\n').text('etc/resolv.conf', '').text('etc/osie-built', `${seconds}\n`);
  tree.text('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  addModules(tree, index, modules, work);
  return tree;
}

/** Squashfs of a folder, the same bytes for the same files. Level 6: a twentieth of the time of 19, for a tenth more bytes. */
export async function squash(folder, file, seconds) {
  const time = ['-mkfs-time', String(seconds), '-all-time', String(seconds)];
  const packing = ['-comp', 'zstd', '-Xcompression-level', '6', '-b', '256K', '-all-root', '-no-xattrs', '-noappend'];
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env; // mksquashfs refuses both
  await run('mksquashfs', [folder, file, ...packing, ...time, '-quiet', '-no-progress'], { env });
}

function kernelImage(debs) {
  const name = readdirSync(join(debs, 'boot')).find((file) => file.startsWith('vmlinuz-'));
  if (!name) throw new SetupError('the kernel package has no /boot/vmlinuz-…');
  return join(debs, 'boot', name);
}

const busybox = (debs) => firstExisting(debs, 'bin/busybox', 'usr/bin/busybox');

function firstExisting(debs, ...paths) {
  const found = paths.map((path) => join(debs, path)).find((path) => existsSync(path));
  if (!found) throw new SetupError(`none of the packages has ${paths.join(' or ')}`);
  return found;
}

/** Path in OSIE → unpacked file. */
function engine(debs) {
  const paths = ['usr/sbin/dockerd', 'usr/bin/containerd', 'usr/bin/containerd-shim-runc-v2', 'usr/sbin/runc'];
  const name = (path) => path.slice(path.lastIndexOf('/') + 1);
  return Object.fromEntries(
    paths.map((path) => [path, firstExisting(debs, `usr/sbin/${name(path)}`, `usr/bin/${name(path)}`)]),
  );
}
