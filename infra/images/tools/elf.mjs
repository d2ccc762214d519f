// Which shared libraries a program needs, found in an unpacked tree instead of on this machine: the result is the same everywhere.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { architectures } from './architectures.mjs';

const libraryFolders = (triplet) => [
  ...[`lib/${triplet}`, `usr/lib/${triplet}`, 'lib64', 'usr/lib64', 'lib', 'usr/lib'],
  `usr/lib/${triplet}/systemd`,
];

/** DT_NEEDED of a 64-bit little-endian ELF file; empty for a static program or a script. */
export function neededLibraries(bytes) {
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) return [];
  const [offset, size, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  const segments = Array.from({ length: count }, (_, i) => {
    const at = offset + i * size;
    const word = (from) => Number(bytes.readBigUInt64LE(at + from));
    return { type: bytes.readUInt32LE(at), offset: word(8), address: word(16), bytes: word(32) };
  });
  const dynamic = segments.find(({ type }) => type === 2);
  if (!dynamic) return [];
  const names = [];
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.bytes; at += 16) {
    const [tag, value] = [Number(bytes.readBigInt64LE(at)), Number(bytes.readBigUInt64LE(at + 8))];
    if (tag === 0) break;
    if (tag === 1) names.push(value);
    if (tag === 5) strings = value;
  }
  const load = segments.find(
    ({ type, address, bytes: length }) => type === 1 && strings >= address && strings < address + length,
  );
  if (!load) return [];
  const table = strings - load.address + load.offset;
  return names.map((name) => bytes.toString('latin1', table + name, bytes.indexOf(0, table + name)));
}

/**
 * Files of `tree` that the programs (paths on this machine) load, as Map of path in a root → real path, the dynamic loader included.
 * Throws with the name of a library that the tree does not have.
 */
export function libraryClosure(tree, programs, architecture = 'x86_64') {
  const { triplet, loader } = architectures[architecture];
  const locate = (name) =>
    libraryFolders(triplet)
      .map((folder) => join(tree, folder, name))
      .find((path) => existsSync(path));
  const found = new Map();
  const queue = programs.map((file) => ({ file, by: file }));
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const name of neededLibraries(readFileSync(next.file))) {
      const path = name === basename(loader) ? loader : `lib/${triplet}/${name}`;
      if (found.has(path)) continue;
      const file = locate(name);
      if (!file) throw new Error(`${next.by} needs ${name}, which none of the unpacked packages has`);
      found.set(path, realpathSync(file));
      queue.push({ file: realpathSync(file), by: name });
    }
  }
  if (found.size > 0 && !found.has(loader)) {
    const file = locate(basename(loader));
    if (!file) throw new Error(`none of the unpacked packages has ${basename(loader)}`);
    found.set(loader, realpathSync(file));
  }
  return found;
}
