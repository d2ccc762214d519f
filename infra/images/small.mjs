// The small example system: Debian's kernel, busybox, and a script that says who the machine is and that it came up.
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockedPackages, unpack } from '../setup/debs.mjs';
import { run, SetupError } from '../setup/shell.mjs';
import { addBusybox, addModules, moduleIndex } from './tools/busybox.mjs';
import { cpio, Tree, writeFolder } from './tools/tree.mjs';

const files = join(dirname(fileURLToPath(import.meta.url)), 'small');
const drivers = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'ata_piix', 'ahci', 'sd_mod', 'nvme', 'ext4'];
const network = ['virtio_net', 'e1000', 'e1000e', 'r8169', 'igb', 'tg3'];

export async function smallInputs(note) {
  const packages = await lockedPackages('image-small', ['linux-image-cloud-amd64', 'busybox-static'], note);
  const first = (program, ...args) =>
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).split('\n')[0];
  return { packages, tools: [first('zstd', '--version'), first('grub-mkimage', '--version')] };
}

export async function buildSmallRoot({ packages }, work) {
  const debs = join(work, 'debs');
  await unpack(packages, debs);
  const name = readdirSync(join(debs, 'boot')).find((file) => file.startsWith('vmlinuz-'));
  if (!name) throw new SetupError('the kernel package has no /boot/vmlinuz-…');
  const kernel = join(debs, 'boot', name);
  const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? Math.floor(statSync(kernel).mtimeMs / 1000));
  const index = moduleIndex(debs);
  const busybox = join(debs, 'bin/busybox');

  const early = new Tree();
  for (const folder of ['proc', 'sys', 'dev', 'newroot']) early.folder(folder);
  early.console('dev/console').file('init', join(files, 'initrd-init'), 0o755);
  addBusybox(early, busybox);
  addModules(early, index, drivers, work);
  await writeFile(join(work, 'initrd.cpio'), cpio(early, seconds));
  await run('zstd', ['-q', '-19', '-T1', '--no-check', '-f', join(work, 'initrd.cpio'), '-o', join(work, 'initrd')]);

  const tree = new Tree();
  for (const folder of ['proc', 'sys', 'dev', 'run', 'mnt', 'root', 'var/lib/tinkerbell', 'var/log'])
    tree.folder(folder);
  tree.folder('tmp', 0o1777);
  addBusybox(tree, busybox);
  tree.link('sbin/init', '../bin/busybox').file('etc/inittab', join(files, 'inittab'));
  tree.file('etc/rc', join(files, 'rc'), 0o755).file('etc/udhcpc.sh', join(files, 'udhcpc.sh'), 0o755);
  tree
    .text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
    .text('etc/group', 'root:x:0:\n')
    .text('etc/hostname', 'localhost\n');
  tree
    .text('etc/hosts', '127.0.0.1 localhost\n')
    .text('etc/os-release', 'ID=tinkerbell\nNAME="Tinkerbell example"\nVERSION_ID=1\n');
  addModules(tree, index, network, work);
  const root = join(work, 'root');
  writeFolder(tree, root, seconds);
  const commandLine = 'console=tty0 console=ttyS0,115200 quiet panic=10';
  return { root, kernel, initrd: join(work, 'initrd'), commandLine, rootMiB: 128, seconds };
}
