// Puts boot files and a root tree onto a bootable disk image with nothing but file tools.
import { closeSync, existsSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, SetupError } from '../setup/shell.mjs';

const mebibyte = 1 << 20;
const espMiB = 64;
const syslinuxFolders = ['/usr/lib/syslinux/mbr', '/usr/lib/syslinux/modules/bios'];
/** Fixed, so that the same inputs give the same bytes; a machine gets its own identity from its metadata. */
const ids = {
  disk: '7b1d5c7e-0001-4000-8000-74696e6b6572',
  esp: '7b1d5c7e-0002-4000-8000-74696e6b6572',
  root: '7b1d5c7e-0003-4000-8000-74696e6b6572',
  ext4: '7b1d5c7e-0004-4000-8000-74696e6b6572',
  fat: '7b1d5c7e',
};
const grubModules = [
  'part_gpt',
  'fat',
  'normal',
  'linux',
  'configfile',
  'search',
  'search_fs_file',
  'serial',
  'terminal',
  'echo',
  'test',
];

/**
 * @param {{ root: string, kernel: string, initrd: string, commandLine: string, rootMiB: number, seconds: number }} parts
 *   root: folder with the root file system; seconds: the time that everything bears.
 */
export async function writeDisk(raw, work, parts) {
  for (const folder of syslinuxFolders)
    if (!existsSync(folder)) throw new SetupError(`${folder} is missing: apt-get install syslinux syslinux-common`);
  const esp = await bootPartition(work, parts);
  const root = await rootPartition(work, parts);
  await writeFile(raw, '');
  await truncate(raw, (espMiB + parts.rootMiB + 2) * mebibyte);
  await run('sgdisk', [
    ...[
      '-U',
      ids.disk,
      '-n',
      `1:2048:+${espMiB}M`,
      '-t',
      '1:ef00',
      '-c',
      '1:ESP',
      '-u',
      `1:${ids.esp}`,
      '-A',
      '1:set:2',
    ],
    ...['-n', `2:0:+${parts.rootMiB}M`, '-t', '2:8300', '-c', '2:root', '-u', `2:${ids.root}`, raw],
  ]);
  copyInto(raw, join(syslinuxFolders[0], 'gptmbr.bin'), 0, 440);
  copyInto(raw, esp, mebibyte);
  copyInto(raw, root, (espMiB + 1) * mebibyte);
}

/** FAT32 with syslinux for BIOS and GRUB for UEFI; both start the same kernel with the same command line. */
async function bootPartition(work, { kernel, initrd, commandLine, seconds }) {
  const esp = join(work, 'esp.img');
  const write = async (name, text) => {
    const file = join(work, name);
    await writeFile(file, text);
    return file;
  };
  const syslinuxConfig = await write(
    'syslinux.cfg',
    `SERIAL 0 115200\nDEFAULT linux\nPROMPT 0\nTIMEOUT 1\nLABEL linux\n LINUX /vmlinuz\n INITRD /initrd\n APPEND ${commandLine}\n`,
  );
  const grubConfig = await write(
    'grub.cfg',
    `serial --unit=0 --speed=115200\nterminal_output serial\nset timeout=0\nlinux /vmlinuz ${commandLine}\ninitrd /initrd\nboot\n`,
  );
  const early = await write('early.cfg', 'search --no-floppy --set=root --file /grub.cfg\nconfigfile /grub.cfg\n');
  const grub = join(work, 'BOOTX64.EFI');
  await run('grub-mkimage', ['-O', 'x86_64-efi', '-o', grub, '-p', '/EFI/BOOT', '-c', early, ...grubModules]);
  await writeFile(esp, '');
  await truncate(esp, espMiB * mebibyte);
  await run('mkfs.vfat', ['--invariant', '-F', '32', '-i', ids.fat, '-n', 'ESP', esp]);
  // mtools stamp folders with this and files (-m) with their own time.
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(seconds), TZ: 'UTC' };
  await run('mmd', ['-i', esp, '::/EFI', '::/EFI/BOOT', '::/syslinux'], { env });
  const files = [
    [grub, '::/EFI/BOOT/BOOTX64.EFI'],
    [kernel, '::/vmlinuz'],
    [initrd, '::/initrd'],
    [grubConfig, '::/grub.cfg'],
    [syslinuxConfig, '::/syslinux/syslinux.cfg'],
    [join(syslinuxFolders[1], 'ldlinux.c32'), '::/syslinux/ldlinux.c32'],
  ];
  for (const [source, target] of files) {
    const own = source.startsWith(work);
    if (own) await utimes(source, seconds, seconds);
    await run('mcopy', ['-m', '-i', esp, source, target], { env });
  }
  await run('syslinux', ['--install', '--directory', '/syslinux', esp], { env });
  return esp;
}

async function rootPartition(work, { root, rootMiB, seconds }) {
  const image = join(work, 'root.img');
  await writeFile(image, '');
  await truncate(image, rootMiB * mebibyte);
  // Debian 12's e2fsprogs takes the time from the first variable, newer ones from the second.
  const env = { ...process.env, E2FSPROGS_FAKE_TIME: String(seconds), SOURCE_DATE_EPOCH: String(seconds) };
  const settings = `hash_seed=${ids.ext4},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0`;
  await run('mke2fs', ['-q', '-t', 'ext4', '-L', 'tinkerbell', '-U', ids.ext4, '-E', settings, '-d', root, image], {
    env,
  });
  return image;
}

/** Copies a file, or its first `limit` bytes, to an offset of another; runs of zeros stay holes. */
function copyInto(target, source, offset, limit) {
  if (limit !== undefined) {
    const out = openSync(target, 'r+');
    writeSync(out, readFileSync(source).subarray(0, limit), 0, undefined, offset);
    closeSync(out);
    return;
  }
  const [from, to] = [openSync(source, 'r'), openSync(target, 'r+')];
  const block = Buffer.alloc(mebibyte);
  for (let at = 0; ;) {
    const count = readSync(from, block, 0, block.length, at);
    if (count === 0) break;
    const data = block.subarray(0, count);
    if (data.some((byte) => byte !== 0)) writeSync(to, data, 0, count, offset + at);
    at += count;
  }
  closeSync(from);
  closeSync(to);
}
