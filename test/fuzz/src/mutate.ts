import type { Random } from './random';

/** Bytes at which lengths, codes and pointers change their meaning. */
const edges = [0, 1, 2, 3, 4, 52, 53, 55, 61, 63, 64, 82, 119, 127, 128, 191, 192, 254, 255] as const;

/** One to five changes, of the kinds that wires, switches and bad programs make. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random, longest: number): Uint8Array {
  let changed = bytes;
  for (let left = 1 + random.below(5); left > 0; left--) changed = mutateOnce(changed, other, random);
  return changed.length > longest ? changed.subarray(0, longest) : changed;
}

function mutateOnce(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = random.below(Math.min(bytes.length - at, 64) + 1);
  switch (random.below(8)) {
    case 0:
      return withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8)));
    case 1:
      return withByte(bytes, at, random.pick(edges));
    case 2:
      return withByte(bytes, at, random.below(256));
    case 3:
      return bytes.subarray(0, at);
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 5:
      return joined(bytes.subarray(0, at), random.bytes(random.below(300)), bytes.subarray(at));
    case 6:
      return joined(bytes.subarray(0, at + length), bytes.subarray(at));
    default:
      return joined(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)));
  }
}

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice();
  if (at < changed.length) changed[at] = value;
  return changed;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
