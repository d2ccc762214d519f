import { concat, latin1, MalformedPacketError } from '@tinkerbell/bytes';
import { readIpv4 } from './fields';
import { optionOverload } from './options/option-overload';
import { headerLength, magicCookie, type DhcpPacket } from './packet';

const fileAt = 108;
const snameAt = 44;

/**
 * Throws MalformedPacketError for anything that is no DHCP message. Single options stay bytes until they are asked for, so one that
 * makes no sense does not cost the rest. An options area without an end mark is taken: some firmware leaves it out. What is read as bytes
 * stays where it lies in `bytes`.
 */
export function decodePacket(bytes: Uint8Array): DhcpPacket {
  if (bytes.length < headerLength) {
    throw new MalformedPacketError(`${bytes.length} bytes, a DHCP message has at least ${headerLength}`, bytes.length);
  }
  const op = bytes[0];
  const hlen = bytes[2] ?? 0;
  if (op !== 1 && op !== 2) throw new MalformedPacketError(`op ${op} is neither request nor reply`, 0);
  if (hlen > 16) throw new MalformedPacketError(`hardware address of ${hlen} bytes, 16 is the limit`, 2);
  const options = new Map<number, Uint8Array>();
  if (hasOptions(bytes)) collectOptions(bytes, headerLength, bytes.length, options);
  const overloaded = resolveOverload(bytes, options);
  return {
    op: op === 1 ? 'request' : 'reply',
    htype: bytes[1] ?? 0,
    hops: bytes[3] ?? 0,
    xid: uint16(bytes, 4) * 0x10000 + uint16(bytes, 6),
    secs: uint16(bytes, 8),
    flags: uint16(bytes, 10),
    ciaddr: readIpv4(bytes, 12),
    yiaddr: readIpv4(bytes, 16),
    siaddr: readIpv4(bytes, 20),
    giaddr: readIpv4(bytes, 24),
    chaddr: bytes.subarray(28, 28 + hlen),
    sname: overloaded.sname ? '' : cString(bytes, snameAt, fileAt),
    file: overloaded.file ? '' : cString(bytes, fileAt, 236),
    options,
  };
}

/** A BOOTP client that has nothing to say there leaves the vendor area zero (RFC 951 §3). */
function hasOptions(bytes: Uint8Array): boolean {
  let [isCookie, isZero] = [true, bytes[0] === 1];
  for (let i = 0; i < magicCookie.length; i++) {
    isCookie &&= bytes[236 + i] === magicCookie[i];
    isZero &&= bytes[236 + i] === 0;
  }
  if (!isCookie && !isZero) throw new MalformedPacketError('no DHCP magic cookie', 236);
  return isCookie;
}

/** RFC 2131 §4.1: first the options field, then `file`, then `sname`. */
function resolveOverload(bytes: Uint8Array, options: Map<number, Uint8Array>): { file: boolean; sname: boolean } {
  const raw = options.get(optionOverload.code);
  if (raw === undefined) return { file: false, sname: false };
  const overload = optionOverload.decode(raw);
  options.delete(optionOverload.code);
  if (overload.file) collectOptions(bytes, fileAt, 236, options);
  if (overload.sname) collectOptions(bytes, snameAt, fileAt, options);
  // In `file` and `sname` it means nothing (RFC 2131 §4.1), and must not be read as an option of the message.
  options.delete(optionOverload.code);
  return overload;
}

/** Adds the options between `from` and `to`; parts of one option are joined in order (RFC 3396 §7). */
function collectOptions(bytes: Uint8Array, from: number, to: number, into: Map<number, Uint8Array>): void {
  let at = from;
  while (at < to) {
    const code = bytes[at] ?? 0;
    if (code === 255) break;
    if (code === 0) {
      at++;
      continue;
    }
    if (at + 1 >= to) throw new MalformedPacketError(`option ${code} has no length`, at);
    const length = bytes[at + 1] ?? 0;
    const end = at + 2 + length;
    if (end > to) {
      throw new MalformedPacketError(`option ${code} wants ${length} bytes, ${to - at - 2} are left`, at);
    }
    const earlier = into.get(code);
    const part = bytes.subarray(at + 2, end);
    into.set(code, earlier ? concat([earlier, part]) : part);
    at = end;
  }
}

/** Without a DataView, which costs more than all that is read through it. */
function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function cString(bytes: Uint8Array, from: number, to: number): string {
  let end = from;
  while (end < to && bytes[end] !== 0) end++;
  return end === from ? '' : latin1(bytes.subarray(from, end));
}
