// The small image: Debian's cloud kernel, busybox, and an init that reads its name from hegel and phones home.
import { readdirSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unpack } from '../setup/debs.mjs';
import { run } from '../setup/shell.mjs';
import { makeDisk } from './disk.mjs';
import { addBusybox, addModules, moduleIndex } from './tools/busybox.mjs';
import { cpio, Tree, writeFolder } from './tools/tree.mjs';

const files = join(dirname(fileURLToPath(import.meta.url)), 'files');

export const smallRoots = ['linux-image-cloud-amd64', 'busybox-static'];
const diskModules = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'sd_mod', 'ata_piix', 'ahci', 'nvme', 'ext4'];
const modules = [
  ...diskModules,
  'virtio_net',
  'virtio_rng',
  'virtio_balloon',
  'vfat',
  'nls_cp437',
  'nls_ascii',
  'button',
  'evdev',
  'drivers/net/ethernet/intel/',
];
/** Sizes in MiB: a boot partition with room for a second kernel, and a root that is easily told from a truncated one. */
const [espMiB, rootMiB] = [40, 64];

export async function buildSmall(packages, work) {
  const debs = join(work, 'debs');
  await unpack(packages, debs);
  const kernelName = readdirSync(join(debs, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  const kernel = join(debs, 'boot', kernelName);
  const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? Math.floor(statSync(kernel).mtimeMs / 1000));
  const index = moduleIndex(debs);
  const busybox = join(debs, readdirSync(debs).includes('bin') ? 'bin/busybox' : 'usr/bin/busybox');

  const early = new Tree().console('dev/console').file('init', join(files, 'initrd-init'), 0o755);
  for (const folder of ['proc', 'sys', 'newroot']) early.folder(folder);
  addBusybox(early, busybox);
  addModules(early, index, diskModules, work);
  const initrd = join(work, 'initrd');
  await writeFile(`${initrd}.cpio`, cpio(early, seconds));
  await run('zstd', ['-q', '-19', '-T1', '--no-check', '-f', `${initrd}.cpio`, '-o', initrd]);

  const root = join(work, 'root');
  await mkdir(root);
  writeFolder(rootTree(busybox, index, work), root, seconds);
  const file = join(work, 'small.raw');
  const commandLine = 'console=tty0 console=ttyS0,115200 panic=10 quiet';
  await makeDisk({
    file,
    work,
    root,
    kernel,
    initrd,
    espMiB,
    rootMiB,
    label: 'tinkerbell-root',
    commandLine,
    seconds,
    reproducible: true,
  });
  return file;
}

function rootTree(busybox, index, work) {
  const tree = new Tree();
  for (const folder of ['dev', 'proc', 'sys', 'run', 'root', 'mnt', 'var/lib', 'var/log', 'etc/acpi/PWRF'])
    tree.folder(folder);
  tree.folder('tmp', 0o1777).link('var/run', '/run');
  addBusybox(tree, busybox);
  for (const name of ['init', 'first-boot']) tree.file(`sbin/${name}`, join(files, name), 0o755);
  tree.link('sbin/modprobe', '../bin/busybox').link('sbin/acpid', '../bin/busybox');
  tree.file('etc/inittab', join(files, 'inittab')).file('etc/udhcpc.sh', join(files, 'udhcpc.sh'), 0o755);
  tree.file('etc/acpi/PWRF/00000080', join(files, 'acpi-power'), 0o755);
  tree
    .text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
    .text('etc/group', 'root:x:0:\n')
    .text('etc/resolv.conf', '');
  addModules(tree, index, modules, work);
  return tree;
}
