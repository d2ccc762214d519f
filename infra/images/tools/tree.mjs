// A file tree described as data and written as cpio, tar or a folder: same description, same bytes. Everything belongs to root.
import { createHash } from 'node:crypto';
import { chmodSync, lutimesSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @typedef {{ path: string, mode: number, kind: 'folder' | 'file' | 'link' | 'console', source?: string, text?: string | Buffer, target?: string }} Entry
 * path: without leading slash.
 */
export class Tree {
  /** @type {Map<string, Entry>} */
  #entries = new Map();

  folder(path, mode = 0o755) {
    if (path === '.' || path === '') return this;
    this.#parents(path);
    this.#entries.set(path, { path, mode, kind: 'folder' });
    return this;
  }
  /** Contents from a file of this machine. */
  file(path, source, mode = 0o644) {
    return this.#add({ path, mode, kind: 'file', source });
  }
  text(path, text, mode = 0o644) {
    return this.#add({ path, mode, kind: 'file', text });
  }
  link(path, target) {
    return this.#add({ path, mode: 0o777, kind: 'link', target });
  }
  /** Character device 5:1: what init writes to before /dev is mounted. */
  console(path) {
    return this.#add({ path, mode: 0o600, kind: 'console' });
  }
  has(path) {
    return this.#entries.has(path);
  }
  /** Sorted, so that a folder comes before what is in it. */
  entries() {
    return [...this.#entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }
  #add(entry) {
    this.#parents(entry.path);
    this.#entries.set(entry.path, entry);
    return this;
  }
  #parents(path) {
    const parent = dirname(path);
    if (parent !== '.' && !this.#entries.has(parent)) this.folder(parent);
  }
}

const contents = ({ kind, source, text, target }) => {
  if (kind === 'link') return Buffer.from(target);
  if (kind !== 'file') return Buffer.alloc(0);
  return source === undefined ? Buffer.from(text) : readFileSync(source);
};
const fileType = { folder: 0o040000, file: 0o100000, link: 0o120000, console: 0o020000 };

/** Archive in "newc" format (kernel: Documentation/driver-api/early-userspace/buffer-format.rst). seconds: time of every entry. */
export function cpio(tree, seconds) {
  const parts = [];
  const hex = (value) => value.toString(16).padStart(8, '0').toUpperCase();
  const pad = (length) => Buffer.alloc((4 - (length % 4)) % 4);
  const add = (path, { mode, links, device = [0, 0], data, inode, time }) => {
    const name = Buffer.from(`${path}\0`);
    const fields = [inode, mode, 0, 0, links, time, data.length, 0, 0, ...device, name.length, 0];
    const header = Buffer.from(`070701${fields.map(hex).join('')}`);
    parts.push(header, name, pad(header.length + name.length), data, pad(data.length));
  };
  tree.entries().forEach((entry, i) => {
    add(entry.path, {
      inode: i + 1,
      mode: fileType[entry.kind] | entry.mode,
      links: entry.kind === 'folder' ? 2 : 1,
      device: entry.kind === 'console' ? [5, 1] : [0, 0],
      data: contents(entry),
      time: seconds,
    });
  });
  add('TRAILER!!!', { inode: 0, mode: 0, links: 1, data: Buffer.alloc(0), time: 0 });
  const whole = Buffer.concat(parts);
  // Archives that follow one another in memory start on 4 bytes; 512 is what every other tool writes.
  return Buffer.concat([whole, Buffer.alloc((512 - (whole.length % 512)) % 512)]);
}

/** Archive in POSIX ustar format, with a GNU long-name record for a path over 100 bytes. */
export function tar(tree, seconds) {
  const parts = [];
  const octal = (value, width) => value.toString(8).padStart(width - 1, '0') + '\0';
  const add = (path, { mode, type, data, link = '' }) => {
    if (Buffer.byteLength(path) > 100) add('././@LongLink', { mode: 0, type: 'L', data: Buffer.from(`${path}\0`) });
    const header = Buffer.alloc(512);
    header.write(path.slice(0, 100), 0);
    header.write(octal(mode, 8) + octal(0, 8) + octal(0, 8) + octal(data.length, 12) + octal(seconds, 12), 100);
    header.write(' '.repeat(8), 148);
    header.write(type, 156);
    header.write(link, 157, 100);
    header.write('ustar\x0000root', 257);
    header.write('root', 297);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  };
  for (const entry of tree.entries()) {
    const common = { mode: entry.mode, data: entry.kind === 'file' ? contents(entry) : Buffer.alloc(0) };
    if (entry.kind === 'folder') add(`${entry.path}/`, { ...common, type: '5' });
    if (entry.kind === 'file') add(entry.path, { ...common, type: '0' });
    if (entry.kind === 'link') add(entry.path, { ...common, type: '2', link: entry.target });
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** Writes the tree into an empty folder; times are set last because writing into a folder changes its time. */
export function writeFolder(tree, folder, seconds) {
  mkdirSync(folder, { recursive: true });
  const entries = tree.entries();
  for (const entry of entries) {
    const path = join(folder, entry.path);
    if (entry.kind === 'folder') mkdirSync(path, { recursive: true });
    if (entry.kind === 'file') writeFileSync(path, contents(entry));
    if (entry.kind === 'link') symlinkSync(entry.target, path);
    if (entry.kind === 'folder' || entry.kind === 'file') chmodSync(path, entry.mode);
  }
  for (const entry of entries.reverse()) {
    const path = join(folder, entry.path);
    if (entry.kind === 'link') lutimesSync(path, seconds, seconds);
    else if (entry.kind !== 'console') utimesSync(path, seconds, seconds);
  }
  utimesSync(folder, seconds, seconds);
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
