// A bootable disk from parts: GPT, FAT boot partition (syslinux for BIOS, GRUB for UEFI), ext4 root. No loop device, no root, no mount;
// every number that a tool would draw at random is fixed, so that the same parts give the same bytes.
import { readdirSync } from 'node:fs';
import { copyFile, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from './tools/tree.mjs';
import { run } from '../setup/shell.mjs';

const MiB = 1 << 20;
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
const bios = '/usr/lib/syslinux';

/** A version-4-shaped UUID that depends on nothing but the name. */
export function fixedUuid(name) {
  const hex = sha256(`tinkerbell disk ${name}`);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/**
 * reproducible: takes some more steps, for small trees.
 * @param {{ file: string, work: string, root: string, kernel: string, initrd: string, espMiB: number, rootMiB: number, label: string,
 *   commandLine: string, seconds: number, reproducible?: boolean }} parts root: folder; seconds: date of everything in the image
 */
export async function makeDisk(parts) {
  const { file, espMiB, rootMiB } = parts;
  const esp = await bootPartition(parts);
  const root = await rootPartition(parts);
  await writeFile(file, '');
  await truncate(file, (espMiB + rootMiB + 2) * MiB);
  const [disk, part1, part2] = ['disk', 'esp', 'root'].map(fixedUuid);
  await run('sgdisk', [
    ...['-n', `1:2048:+${espMiB}M`, '-t', '1:ef00', '-c', '1:ESP', '-A', '1:set:2', '-u', `1:${part1}`],
    ...['-n', `2:0:+${rootMiB}M`, '-t', '2:8300', '-c', '2:root', '-u', `2:${part2}`, '-U', disk, file],
  ]);
  await patch(file, 0, (await readFile(`${bios}/mbr/gptmbr.bin`)).subarray(0, 440));
  await copyInto(esp, file, MiB);
  await copyInto(root, file, (espMiB + 1) * MiB);
}

async function bootPartition({ work, kernel, initrd, espMiB, commandLine, seconds }) {
  const esp = join(work, 'esp.img');
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(seconds), TZ: 'UTC', MTOOLS_SKIP_CHECK: '1' };
  const text = async (name, lines) => {
    await writeFile(join(work, name), `${lines.join('\n')}\n`);
    return join(work, name);
  };
  const syslinux = [
    'SERIAL 0 115200',
    'DEFAULT disk',
    'PROMPT 0',
    'TIMEOUT 1',
    'LABEL disk',
    ' LINUX /vmlinuz',
    ' INITRD /initrd',
    ` APPEND ${commandLine}`,
  ];
  const menu = [
    'serial --unit=0 --speed=115200',
    'terminal_output serial console',
    'set timeout=0',
    `linux /vmlinuz ${commandLine}`,
    'initrd /initrd',
    'boot',
  ];
  const files = {
    'EFI/BOOT/BOOTX64.EFI': await grub(work),
    'disk.cfg': await text('disk.cfg', menu),
    'syslinux/syslinux.cfg': await text('syslinux.cfg', syslinux),
    'syslinux/ldlinux.c32': `${bios}/modules/bios/ldlinux.c32`,
    vmlinuz: kernel,
    initrd,
  };
  await rm(esp, { force: true });
  await run('mkfs.vfat', ['-C', '-F', '32', '-n', 'ESP', '-i', '7131be11', '--invariant', esp, String(espMiB * 1024)], {
    env,
  });
  // Made while it holds no files: its blocks land in the same place, whatever is copied afterwards.
  await run('mmd', ['-i', esp, '::/EFI', '::/EFI/BOOT', '::/syslinux'], { env });
  await run('syslinux', ['--install', '--directory', '/syslinux', esp], { env });
  for (const [path, source] of Object.entries(files)) {
    const dated = join(work, 'dated');
    await copyFile(source, dated);
    await run('touch', ['-d', `@${seconds}`, dated]);
    await run('mcopy', ['-m', '-o', '-i', esp, dated, `::/${path}`], { env });
  }
  return normaliseFat(esp, seconds);
}

/** GRUB in one file; it looks for its menu on whatever disk it came from. (grub-mkstandalone would put the time of the run into it.) */
async function grub(work) {
  const file = join(work, 'BOOTX64.EFI');
  const config = join(work, 'grub.cfg');
  await writeFile(config, 'search --no-floppy --set=root --file /disk.cfg\nconfigfile /disk.cfg\n');
  await run('grub-mkimage', ['-O', 'x86_64-efi', '-o', file, '-p', '/EFI/BOOT', '-c', config, ...grubModules]);
  return file;
}

/** Directory entries made by mmd, mcopy and syslinux carry the time of the run: every one gets the image's date. */
async function normaliseFat(esp, seconds) {
  const bytes = await readFile(esp);
  const [sector, perCluster, reserved, fats] = [bytes.readUInt16LE(11), bytes[13], bytes.readUInt16LE(14), bytes[16]];
  const fatSectors = bytes.readUInt32LE(36);
  const dataStart = (reserved + fats * fatSectors) * sector;
  const clusterBytes = perCluster * sector;
  const next = (cluster) => bytes.readUInt32LE(reserved * sector + cluster * 4) & 0x0fffffff;
  const date = new Date(seconds * 1000);
  const day = ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
  const visit = (first) => {
    for (let cluster = first; cluster >= 2 && cluster < 0x0ffffff8; cluster = next(cluster)) {
      const start = dataStart + (cluster - 2) * clusterBytes;
      for (let at = start; at < start + clusterBytes; at += 32) {
        if (bytes[at] === 0) return;
        if (bytes[at] === 0xe5 || bytes[at + 11] === 0x0f) continue;
        bytes[at + 13] = 0;
        for (const [time, dayAt] of [
          [14, 16],
          [undefined, 18],
          [22, 24],
        ]) {
          if (time !== undefined) bytes.writeUInt16LE(0, at + time);
          bytes.writeUInt16LE(day, at + dayAt);
        }
        const isFolder = bytes[at + 11] & 0x10 && bytes[at] !== 0x2e;
        if (isFolder) visit((bytes.readUInt16LE(at + 20) << 16) | bytes.readUInt16LE(at + 26));
      }
    }
  };
  visit(bytes.readUInt32LE(44));
  await writeFile(esp, bytes);
  return esp;
}

async function rootPartition({ work, root, rootMiB, label, seconds, reproducible }) {
  const file = join(work, 'root.img');
  await rm(file, { force: true });
  const extended = `hash_seed=${fixedUuid('hash')},root_owner=0:0`;
  const identity = ['-L', label, '-U', fixedUuid('root fs'), '-E', extended];
  const env = { ...process.env, E2FSPROGS_FAKE_TIME: String(seconds), SOURCE_DATE_EPOCH: String(seconds) };
  await run('mke2fs', ['-q', '-t', 'ext4', ...identity, '-d', root, file, `${rootMiB}M`], { env });
  if (reproducible) await fixChangeTimes(file, root, seconds, env);
  return file;
}

/** mke2fs copies when each file's metadata last changed, which is when this build wrote it and nothing can set. */
async function fixChangeTimes(image, root, seconds, env) {
  const paths = readdirSync(root, { recursive: true }).map((path) => `"/${path}"`);
  const inodes = ['<2>', '"/lost+found"', ...paths];
  const script = inodes.map((inode) => `set_inode_field ${inode} ctime @${seconds}`).join('\n');
  await run('debugfs', ['-w', '-f', '-', image], { env, input: `${script}\n` });
}

async function patch(file, position, bytes) {
  const handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, position);
  await handle.close();
}

/** Copies a partition into the disk, leaving holes where it is empty. */
async function copyInto(source, file, position) {
  const [from, to] = [await open(source), await open(file, 'r+')];
  const buffer = Buffer.alloc(MiB);
  const empty = Buffer.alloc(MiB);
  for (let at = 0; ;) {
    const { bytesRead } = await from.read(buffer, 0, MiB, at);
    if (bytesRead === 0) break;
    if (!buffer.subarray(0, bytesRead).equals(empty.subarray(0, bytesRead)))
      await to.write(buffer, 0, bytesRead, position + at);
    at += bytesRead;
  }
  await from.close();
  await to.close();
}
