import { type DhcpPacket, messageType } from '@tinkerbell/dhcp';
import type { DhcpContext } from './decision';

const hlenAt = 2;
const chaddrAt = 28;

/** From a packet that cannot be decoded; undefined: it has no Ethernet address either. */
export function macAt(bytes: Uint8Array): string | undefined {
  const chaddr = bytes.subarray(chaddrAt, chaddrAt + 6);
  if (bytes[hlenAt] !== 6 || chaddr.length < 6 || chaddr.every((byte) => byte === 0)) return undefined;
  return Array.from(chaddr, (byte) => byte.toString(16).padStart(2, '0')).join('-');
}

const [xidAt, secsAt, ciaddrAt] = [4, 8, 12];

/** What a repetition has in common with a message: who sends it, xid, type, ciaddr, and where to. */
export function keyOf(bytes: Uint8Array, { options }: DhcpPacket, { arrival }: Pick<DhcpContext, 'arrival'>): number {
  const about = (options.get(messageType.code)?.[0] ?? 0) + (arrival === 'pxe' ? 256 : 0);
  const machine = fingerprint(bytes, chaddrAt, chaddrAt + 6, about);
  return fingerprint(bytes, ciaddrAt, ciaddrAt + 4, fingerprint(bytes, xidAt, secsAt, machine));
}

/** 53 bits of the bytes in a stretch but for `secs`, all that differs when a client repeats itself: FNV-1a, and another beside it. */
export function fingerprint(bytes: Uint8Array, from: number, to: number, seed = 0): number {
  let one = 0x811c9dc5 ^ (seed / 2 ** 21);
  let other = 0x9e3779b9 ^ seed;
  for (let i = from; i < to; i++) {
    if (i === secsAt || i === secsAt + 1) continue;
    one = Math.imul(one ^ (bytes[i] ?? 0), 0x01000193);
    other = Math.imul(other ^ (bytes[i] ?? 0), 0x5bd1e995);
    other ^= other >>> 15;
  }
  return (one >>> 0) * 2 ** 21 + (other >>> 11);
}
