/** A file in a folder, `/EFI/BOOT/BOOTX64.EFI`. Names that are not 8.3 in capitals get a long one (VFAT). */
export interface ImageFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const sector = 512;
const perCluster = 4;
const cluster = sector * perCluster;
const rootEntries = 512;
const entryBytes = 32;
/** More would be FAT16. */
const mostClusters = 4084;

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: Map<string, Uint8Array>;
}

/** A FAT12 volume of these files, without dates: the same files are the same bytes. What UEFI firmware boots from an ISO. */
export function fatImage(files: readonly ImageFile[]): Uint8Array {
  const root = treeOf(files);
  const used = clustersOf(root, true);
  if (used > mostClusters) throw new RangeError(`${used} clusters, FAT12 has ${mostClusters}`);
  const fatSectors = Math.ceil(((used + 2) * 12) / 8 / sector);
  const dataAt = 1 + 2 * fatSectors + (rootEntries * entryBytes) / sector;
  const sectors = dataAt + used * perCluster;
  const image = new Uint8Array(sectors * sector);
  const volume: Volume = { image, fat: new Uint16Array(used + 2), dataAt: dataAt * sector, next: 2 };
  image.set(bootSector(sectors, fatSectors));
  image.set(directory(volume, root, 0, undefined), (1 + 2 * fatSectors) * sector);
  volume.fat[0] = 0xff8;
  volume.fat[1] = 0xfff;
  const table = packed(volume.fat);
  image.set(table, sector);
  image.set(table, (1 + fatSectors) * sector);
  return image;
}

interface Volume {
  readonly image: Uint8Array;
  readonly fat: Uint16Array;
  /** Where cluster 2 lies. */
  readonly dataAt: number;
  next: number;
}

function treeOf(files: readonly ImageFile[]): Folder {
  const root: Folder = { folders: new Map(), files: new Map() };
  for (const { path, bytes } of files) {
    const parts = path.split('/').filter((part) => part !== '');
    const name = parts.pop() ?? '';
    let folder = root;
    for (const part of parts) {
      const inner = folder.folders.get(part) ?? { folders: new Map(), files: new Map() };
      folder.folders.set(part, inner);
      folder = inner;
    }
    folder.files.set(name, bytes);
  }
  return root;
}

function clustersOf({ folders, files }: Folder, isRoot: boolean): number {
  const own = isRoot ? 0 : 1;
  const inFiles = [...files.values()].reduce((sum, bytes) => sum + Math.ceil(bytes.length / cluster), 0);
  return [...folders.values()].reduce((sum, folder) => sum + clustersOf(folder, false), own + inFiles);
}

/** The entries of one folder, all that is below it written. `self`: its first cluster, 0 for the root. */
function directory(volume: Volume, { folders, files }: Folder, self: number, parent: number | undefined): Uint8Array {
  const entries: Uint8Array[] = [];
  if (parent !== undefined) entries.push(entry('.          ', 0x10, self, 0), entry('..         ', 0x10, parent, 0));
  for (const [name, folder] of folders) {
    const at = allocate(volume, 1);
    writeAt(volume, at, directory(volume, folder, at, self));
    entries.push(...named(name, entries.length, 0x10, at, 0));
  }
  for (const [name, bytes] of files) {
    const count = Math.ceil(bytes.length / cluster);
    const at = count === 0 ? 0 : allocate(volume, count);
    if (count > 0) writeAt(volume, at, bytes);
    entries.push(...named(name, entries.length, 0x20, at, bytes.length));
  }
  if (parent !== undefined && entries.length * entryBytes > cluster)
    throw new RangeError('too many files in one folder');
  const out = new Uint8Array(entries.length * entryBytes);
  entries.forEach((each, i) => out.set(each, i * entryBytes));
  return out;
}

function allocate(volume: Volume, count: number): number {
  const first = volume.next;
  for (let i = 0; i < count; i++) volume.fat[first + i] = i === count - 1 ? 0xfff : first + i + 1;
  volume.next += count;
  return first;
}

function writeAt({ image, dataAt }: Volume, at: number, bytes: Uint8Array): void {
  image.set(bytes, dataAt + (at - 2) * cluster);
}

/** With its long name in front when it needs one. `index`: makes the short name one of its own. */
function named(name: string, index: number, attributes: number, at: number, size: number): readonly Uint8Array[] {
  const [, base = '', extension = ''] = /^([A-Z0-9_-]{1,8})(?:\.([A-Z0-9_-]{1,3}))?$/.exec(name) ?? [];
  if (base !== '') return [entry(`${base.padEnd(8)}${extension.padEnd(3)}`, attributes, at, size)];
  const short = `F${index}~1`.padEnd(11);
  return [...longName(name, checksum(short)), entry(short, attributes, at, size)];
}

function entry(short: string, attributes: number, at: number, size: number): Uint8Array {
  const bytes = new Uint8Array(entryBytes);
  bytes.set(ascii(short));
  const view = new DataView(bytes.buffer);
  view.setUint8(11, attributes);
  // 1980-01-01, the earliest that there is.
  for (const date of [16, 18, 24]) view.setUint16(date, 0x21, true);
  view.setUint16(26, at, true);
  view.setUint32(28, size, true);
  return bytes;
}

/** Thirteen UTF-16 units an entry, the last part first. */
function longName(name: string, sum: number): readonly Uint8Array[] {
  const parts = Math.ceil(name.length / 13);
  const slots = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
  return Array.from({ length: parts }, (_, i) => parts - 1 - i).map((part) => {
    const bytes = new Uint8Array(entryBytes);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, (part + 1) | (part === parts - 1 ? 0x40 : 0));
    view.setUint8(11, 0x0f);
    view.setUint8(13, sum);
    slots.forEach((slot, i) => {
      const index = part * 13 + i;
      view.setUint16(slot, index < name.length ? name.charCodeAt(index) : index === name.length ? 0 : 0xffff, true);
    });
    return bytes;
  });
}

function checksum(short: string): number {
  return ascii(short).reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0);
}

function bootSector(sectors: number, fatSectors: number): Uint8Array {
  const bytes = new Uint8Array(sector);
  const view = new DataView(bytes.buffer);
  bytes.set([0xeb, 0x3c, 0x90]);
  bytes.set(ascii('TINKFAT '), 3);
  view.setUint16(11, sector, true);
  view.setUint8(13, perCluster);
  view.setUint16(14, 1, true);
  view.setUint8(16, 2);
  view.setUint16(17, rootEntries, true);
  view.setUint16(19, sectors < 0x10000 ? sectors : 0, true);
  view.setUint8(21, 0xf8);
  view.setUint16(22, fatSectors, true);
  view.setUint16(24, 32, true);
  view.setUint16(26, 64, true);
  view.setUint32(32, sectors < 0x10000 ? 0 : sectors, true);
  view.setUint8(36, 0x80);
  view.setUint8(38, 0x29);
  view.setUint32(39, 0x54494e4b, true);
  bytes.set(ascii('NO NAME    FAT12   '), 43);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

function packed(fat: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((fat.length * 12) / 8) + 1);
  fat.forEach((value, i) => {
    const at = Math.floor((i * 3) / 2);
    if (i % 2 === 0) {
      bytes[at] = value & 0xff;
      bytes[at + 1] = ((bytes[at + 1] ?? 0) & 0xf0) | (value >> 8);
    } else {
      bytes[at] = ((bytes[at] ?? 0) & 0x0f) | ((value & 0x0f) << 4);
      bytes[at + 1] = value >> 4;
    }
  });
  return bytes;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
