import { ipv6Number } from '@tinkerbell/bytes';
import { numberOf } from '@tinkerbell/domain';
import type { QueueEntry } from './projection';

/** How an address is in use. */
export type Standing = 'leased' | 'quarantined';

/** Addresses beside each other that are counted at once: those of a queue with a rank from `first` to `last`. */
export interface AddressBlock {
  queueOf(standing: Standing): string;
  readonly first: number;
  readonly last: number;
}

/**
 * Where an address stands, so that those of a range are counted without looking at all there are. IPv4: 256 addresses share a queue. IPv6: a
 * rank has room for 48 bits, so it stands in three queues, by its last 48 bits, by the 48 before those, and by the first 32.
 */
export function placesOf(standing: Standing, ip: string): readonly QueueEntry[] {
  if (!ip.includes(':')) {
    const rank = numberOf(ip);
    return [{ queue: queue4(standing, rank), rank }];
  }
  let rest = ipv6Number(ip) ?? 0n;
  return parts6.map((bits, part) => {
    const rank = Number(rest & lowest(bits));
    rest >>= bits;
    return { queue: queue6(standing, part, rest), rank };
  });
}

/** `range`: `10.1.0.10-10.1.0.99`, one address, or `2001:db8::a000/116`. No block is in two queues. */
export function blocksOf(range: string): Iterable<AddressBlock> {
  const [from = '', to = from] = range.split('-');
  if (!range.includes(':')) return blocks4(numberOf(from), numberOf(to));
  const [address = '', length] = from.split('/');
  const first = ipv6Number(address) ?? 0n;
  return blocks6(
    first,
    length === undefined ? (ipv6Number(to) ?? first) : first | lowest(BigInt(128 - Number(length))),
  );
}

export function isInBlock(ip: string, { queueOf, first, last }: AddressBlock): boolean {
  return placesOf('leased', ip).some(({ queue, rank }) => queue === queueOf('leased') && rank >= first && rank <= last);
}

const parts6 = [48n, 48n, 32n];
const lowest = (bits: bigint) => (1n << bits) - 1n;

function queue4(standing: Standing, address: number): string {
  return `${standing}:${Math.floor(address / 256)}`;
}

function queue6(standing: Standing, part: number, before: bigint): string {
  return `${standing}6:${part}:${before.toString(16)}`;
}

function* blocks4(from: number, to: number): Generator<AddressBlock> {
  for (let first = from; first <= to; first = (Math.floor(first / 256) + 1) * 256) {
    const last = Math.min(to, Math.floor(first / 256) * 256 + 255);
    yield { queueOf: (standing) => queue4(standing, first), first, last };
  }
}

/** From `from` to `to`, of the addresses without the bits of the parts before `part`. */
function* blocks6(from: bigint, to: bigint, part = 0): Generator<AddressBlock> {
  const bits = parts6[part] ?? 0n;
  const block = (before: bigint, first: bigint, last: bigint): AddressBlock => ({
    queueOf: (standing) => queue6(standing, part, before),
    first: Number(first),
    last: Number(last),
  });
  const [low, high] = [from >> bits, to >> bits];
  if (low === high) return yield block(low, from & lowest(bits), to & lowest(bits));
  yield block(low, from & lowest(bits), lowest(bits));
  if (high - low > 1n) yield* blocks6(low + 1n, high - 1n, part + 1);
  yield block(high, 0n, to & lowest(bits));
}
