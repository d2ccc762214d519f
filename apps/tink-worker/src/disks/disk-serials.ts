import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the kernel tells of one block device: path below `/sys/block/<name>` → content; undefined when there is no such file. */
export type Attributes = (path: string) => Buffer | undefined;

/** Not disks of the machine: drives with removable media, and what the kernel makes up. */
const notDisks = /^(?:loop|ram|zram|dm-|md|sr|fd|nbd|drbd|rbd)/;

/** Serial numbers of the machine's disks, sorted, without those that tell none. `root`: where sysfs is. */
export function readDiskSerials(root = '/sys'): readonly string[] {
  const block = join(root, 'block');
  const names = attempt(() => readdirSync(block)) ?? [];
  const serials = names
    .filter((name) => !notDisks.test(name))
    .map((name) => serialOf((path) => attempt(() => readFileSync(join(block, name, path)))));
  return [...new Set(serials.filter((serial) => serial !== ''))].sort();
}

/**
 * The serial number as the disk gives it: virtio and NVMe have it as text, SCSI and SATA in the vital product data page 0x80 (SPC-4
 * §7.8.15: 4 bytes of header, the length in bytes 2 and 3). Without any of them the world-wide id; empty when that is missing too.
 */
export function serialOf(attributes: Attributes): string {
  const text = (path: string) => printable(attributes(path));
  const page = attributes('device/vpd_pg80');
  const length = page && page.length >= 4 && page[1] === 0x80 ? page.readUInt16BE(2) : 0;
  return (
    text('serial') ||
    text('device/serial') ||
    printable(page?.subarray(4, 4 + length)) ||
    text('wwid') ||
    text('device/wwid')
  );
}

/** On one line, without the padding; a serial number that a controller made up of zeros and blanks is none. */
function printable(raw: Buffer | undefined): string {
  const text = (raw?.toString('latin1') ?? '')
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return /^[0 ]*$/.test(text) ? '' : text.slice(0, 128);
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
