// ECMA-119 (ISO 9660) and the El Torito specification 1.0: what firmware needs of them to boot from a CD.
const block = 2048;
const systemBlocks = 16;

export interface BootableIso {
  /** In the root folder, names such as `ISOLINUX.BIN`. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** The file that a BIOS loads (ISOLINUX, which wants to be told where it lies), '' = none. */
  readonly bios: string;
  /** A FAT volume for UEFI firmware. */
  readonly efi: Uint8Array | undefined;
  readonly label: string;
}

/** Without dates: the same files are the same bytes. */
export function isoImage({ files, bios, efi, label }: BootableIso): Uint8Array {
  const catalogueAt = systemBlocks + 3 + 2;
  const rootAt = catalogueAt + 1;
  let next = rootAt + 1;
  const place = (bytes: Uint8Array) => {
    const at = next;
    next += Math.ceil(bytes.length / block);
    return at;
  };
  const efiAt = efi ? place(efi) : 0;
  const placed = files
    .map(({ name, bytes }) => ({ name: `${name};1`, bytes, at: place(bytes) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const image = new Uint8Array(next * block);
  const write = (at: number, bytes: Uint8Array) => image.set(bytes, at * block);
  write(systemBlocks, primaryDescriptor(label, next, rootAt));
  write(systemBlocks + 1, bootRecord(catalogueAt));
  write(systemBlocks + 2, descriptor(255));
  for (const [i, little] of [true, false].entries()) write(systemBlocks + 3 + i, pathTable(rootAt, little));
  const loader = placed.find(({ name }) => name === `${bios};1`);
  write(catalogueAt, catalogue(loader?.at, efi && { at: efiAt, bytes: efi.length }));
  write(rootAt, rootFolder(rootAt, placed));
  if (efi) write(efiAt, efi);
  for (const { at, bytes } of placed) write(at, bytes);
  if (loader) write(loader.at, withBootInfo(loader.bytes, loader.at));
  return image;
}

/** The files in the root folder of an ISO. Throws RangeError when it is none, or reads past its end. */
export function readIsoRoot(image: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const head = systemBlocks * block;
  if (textOf(image, head + 1, 5) !== 'CD001') throw new RangeError('not an ISO 9660 image');
  const start = view.getUint32(head + 156 + 2, true) * block;
  const end = start + view.getUint32(head + 156 + 10, true);
  const files = new Map<string, Uint8Array>();
  for (let at = start; at < end;) {
    const length = view.getUint8(at);
    if (length === 0) {
      at = (Math.floor(at / block) + 1) * block;
      continue;
    }
    const name = textOf(image, at + 33, view.getUint8(at + 32)).replace(/;\d+$/, '');
    const from = view.getUint32(at + 2, true) * block;
    const isFolder = (view.getUint8(at + 25) & 2) !== 0;
    if (!isFolder) files.set(name, image.subarray(from, from + view.getUint32(at + 10, true)));
    at += length;
  }
  return files;
}

function descriptor(type: number): Uint8Array {
  const bytes = new Uint8Array(block);
  bytes[0] = type;
  bytes.set(ascii('CD001'), 1);
  bytes[6] = 1;
  return bytes;
}

function primaryDescriptor(label: string, blocks: number, rootAt: number): Uint8Array {
  const bytes = descriptor(1);
  const view = new DataView(bytes.buffer);
  const text = (at: number, length: number, value = '') => bytes.set(ascii(value.padEnd(length).slice(0, length)), at);
  text(8, 32);
  text(40, 32, label);
  both32(view, 80, blocks);
  both16(view, 120, 1);
  both16(view, 124, 1);
  both16(view, 128, block);
  both32(view, 132, 10);
  view.setUint32(140, systemBlocks + 3, true);
  view.setUint32(148, systemBlocks + 4, false);
  bytes.set(record('\0', rootAt, block, true), 156);
  for (const [at, length] of [
    [190, 128],
    [318, 128],
    [446, 128],
    [574, 128],
    [702, 37],
    [739, 37],
    [776, 37],
  ] as const)
    text(at, length);
  // Dates: digits, and not set.
  for (const at of [813, 830, 847, 864]) bytes.set(ascii('0'.repeat(16)), at);
  bytes[881] = 1;
  return bytes;
}

function bootRecord(catalogueAt: number): Uint8Array {
  const bytes = descriptor(0);
  bytes.set(ascii('EL TORITO SPECIFICATION'), 7);
  new DataView(bytes.buffer).setUint32(71, catalogueAt, true);
  return bytes;
}

function pathTable(rootAt: number, little: boolean): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint32(2, rootAt, little);
  view.setUint16(6, 1, little);
  return bytes;
}

function rootFolder(
  rootAt: number,
  files: readonly { readonly name: string; readonly at: number; readonly bytes: Uint8Array }[],
): Uint8Array {
  const records = [
    record('\0', rootAt, block, true),
    record('\x01', rootAt, block, true),
    ...files.map(({ name, at, bytes }) => record(name, at, bytes.length, false)),
  ];
  if (records.reduce((sum, each) => sum + each.length, 0) > block) throw new RangeError('too many files');
  return Uint8Array.from(records.flatMap((each) => [...each]));
}

function record(name: string, at: number, size: number, isFolder: boolean): Uint8Array {
  const length = 33 + name.length;
  const bytes = new Uint8Array(length + (length % 2));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, bytes.length);
  both32(view, 2, at);
  both32(view, 10, size);
  // 1980-01-01, UTC: not every reader takes a date of zeros.
  bytes.set([80, 1, 1, 0, 0, 0, 0], 18);
  view.setUint8(25, isFolder ? 2 : 0);
  both16(view, 28, 1);
  view.setUint8(32, name.length);
  bytes.set(ascii(name), 33);
  return bytes;
}

/** First what a BIOS loads (four 512-byte sectors of it, the rest it loads itself), then UEFI's volume. */
function catalogue(
  biosAt: number | undefined,
  efi: { readonly at: number; readonly bytes: number } | undefined,
): Uint8Array {
  const bytes = new Uint8Array(block);
  const view = new DataView(bytes.buffer);
  const first = biosAt === undefined ? 0xef : 0;
  view.setUint8(0, 1);
  view.setUint8(1, first);
  bytes.set([0x55, 0xaa], 30);
  let sum = 0;
  for (let i = 0; i < 32; i += 2) sum += view.getUint16(i, true);
  view.setUint16(28, -sum & 0xffff, true);
  if (biosAt !== undefined) bootEntry(view, 32, biosAt, 4);
  if (!efi) return bytes;
  const sectors = Math.min(Math.ceil(efi.bytes / 512), 0xffff);
  if (biosAt === undefined) bootEntry(view, 32, efi.at, sectors);
  else {
    bytes.set([0x91, 0xef, 1, 0], 64);
    bootEntry(view, 96, efi.at, sectors);
  }
  return bytes;
}

function bootEntry(view: DataView, at: number, block: number, sectors: number): void {
  view.setUint8(at, 0x88);
  view.setUint16(at + 6, sectors, true);
  view.setUint32(at + 8, block, true);
}

/** mkisofs' boot information table, by which ISOLINUX finds the rest of itself. */
function withBootInfo(loader: Uint8Array, at: number): Uint8Array {
  // A copy: `slice` of a Buffer would be a view of the same memory.
  const bytes = Uint8Array.from(loader);
  const view = new DataView(bytes.buffer);
  let sum = 0;
  for (let i = 64; i < bytes.length; i += 4) {
    const word = i + 4 <= bytes.length ? view.getUint32(i, true) : lastWord(bytes, i);
    sum = (sum + word) >>> 0;
  }
  view.setUint32(8, systemBlocks, true);
  view.setUint32(12, at, true);
  view.setUint32(16, bytes.length, true);
  view.setUint32(20, sum, true);
  bytes.fill(0, 24, 64);
  return bytes;
}

function lastWord(bytes: Uint8Array, from: number): number {
  return bytes.subarray(from).reduce((word, byte, i) => (word | (byte << (8 * i))) >>> 0, 0);
}

function both16(view: DataView, at: number, value: number): void {
  view.setUint16(at, value, true);
  view.setUint16(at + 2, value, false);
}

function both32(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, value, false);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
