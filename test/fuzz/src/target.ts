import type { Random } from './random';

/** Something that reads bytes from the wire. */
export interface Target {
  readonly name: string;
  readonly about: string;
  /** Bytes of the longest input. */
  readonly longest: number;
  /** A packet as the codec's own types allow it. Throws when it is not read back as it was written. */
  generate(random: Random): Uint8Array;
  /** Throws when a promise of the codec is broken; bytes that it refuses as malformed break none. Returns whether it took them. */
  check(bytes: Uint8Array): boolean;
}

/** A promise that does not hold. */
export class BrokenPromiseError extends Error {}

export function expectSame(what: string, got: unknown, wanted: unknown): void {
  if (isSame(got, wanted)) return;
  throw new BrokenPromiseError(`${what}: ${show(got)}, expected ${show(wanted)}`);
}

/** Deep equality of plain values, byte arrays and Maps. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Map) return b instanceof Map && isSameMap(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => isSame(valueOf(a, key), valueOf(b, key)));
}

function isSameMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !isSame(value, b.get(key))) return false;
  return true;
}

function valueOf(object: object, key: string): unknown {
  return (object as Readonly<Record<string, unknown>>)[key];
}

function show(value: unknown): string {
  const plain = (_: string, item: unknown) =>
    item instanceof Map ? [...item] : item instanceof Uint8Array ? Buffer.from(item).toString('hex') : item;
  return JSON.stringify(value, plain).slice(0, 2000);
}
