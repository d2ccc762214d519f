import { textBytes } from '@tinkerbell/bytes';
import { noAddress, writeIpv4 } from './fields';
import { option, type Options } from './option-codec';
import { bootFileName } from './options/boot-file-name';
import { messageType } from './options/message-type';
import { optionOverload, type Overload } from './options/option-overload';
import { relayAgent } from './options/relay-agent';
import { headerLength, magicCookie, type DhcpPacket } from './packet';

/** BOOTP relays and old firmware drop anything shorter (RFC 951 §3, RFC 1542 §2.1). */
const minimumLength = 300;
const ipAndUdpHeaders = 28;
const snameAt = 44;
const snameLength = 64;
const fileAt = snameAt + snameLength;
const fileLength = 128;
const overloadLength = 3;
const longestPart = 255;
const end = 255;

/** Kept for the other options beside what a relay added, which the relay takes off again before the client sees the message. */
const besideRelay = 60;

/**
 * `maxSize`: of the IP datagram, as in option 57; 576 when the client did not say, of a BOOTP message 328 at least. Options go out in their order, which is their order
 * of importance: where room is short the empty `file` and `sname` fields are used too (RFC 2132 §9.3), and what still does not fit is
 * left out (`onLeftOut`). A `file` of more than 127 bytes goes to option 67. Throws RangeError for a field that cannot be written.
 */
export function encodePacket(
  packet: DhcpPacket,
  { maxSize = 576, onLeftOut = ignore }: EncodeOptions = {},
): Uint8Array {
  const smallest = packet.options.has(messageType.code) ? 576 : minimumLength + ipAndUdpHeaders;
  const room = Math.max(maxSize, smallest) - ipAndUdpHeaders - headerLength;
  const size = sizeTogether(packet.options);
  if (packet.file.length >= fileLength || size === undefined || size > room) {
    return encodeInParts(packet, room, onLeftOut);
  }
  const bytes = withFixedFields(packet, size);
  writeText(packet.sname, bytes, snameAt, snameLength);
  writeText(packet.file, bytes, fileAt, fileLength);
  writeTogether(packet.options, bytes);
  return bytes;
}

interface EncodeOptions {
  readonly maxSize?: number;
  /** Of each option that there was no room for: its code and length. */
  readonly onLeftOut?: OnLeftOut;
}

type OnLeftOut = (code: number, length: number, packet: DhcpPacket) => void;
const ignore: OnLeftOut = () => undefined;

function encodeInParts(packet: DhcpPacket, room: number, onLeftOut: OnLeftOut): Uint8Array {
  const { file, options } = withLongFileMoved(packet);
  // BOOTP knows no option 52.
  const isDhcp = options.has(messageType.code);
  const free = { file: isDhcp && file === '', sname: isDhcp && packet.sname === '' };
  const areas = placeOptions(options, room, free, (code, length) => onLeftOut(code, length, packet));
  const bytes = withFixedFields(packet, sizeOf(areas.main));
  if (areas.sname) writeParts(areas.sname, bytes, snameAt);
  else writeText(packet.sname, bytes, snameAt, snameLength);
  if (areas.file) writeParts(areas.file, bytes, fileAt);
  else writeText(file, bytes, fileAt, fileLength);
  writeParts(areas.main, bytes, headerLength);
  return bytes;
}

/** With the end mark; undefined: a value is too long for one part. */
function sizeTogether(options: Options): number | undefined {
  let size = 1;
  let fits = true;
  // Without an array for each entry, as an iterator makes.
  options.forEach(({ length }, code) => {
    expectWritable(code);
    fits &&= length <= longestPart;
    size += 2 + length;
  });
  return fits ? size : undefined;
}

/** All into the options field, each in one part. What a relay added is the last option (RFC 3046 §2.1). */
function writeTogether(options: Options, bytes: Uint8Array): void {
  let at = headerLength;
  options.forEach((value, code) => {
    if (code !== relayAgent.code) at = writePart(code, value, bytes, at);
  });
  const relay = options.get(relayAgent.code);
  if (relay) at = writePart(relayAgent.code, relay, bytes, at);
  bytes[at] = end;
}

function withLongFileMoved({ file, options }: DhcpPacket): Pick<DhcpPacket, 'file' | 'options'> {
  if (file.length < fileLength) return { file, options };
  return {
    file: '',
    options: options.has(bootFileName.code) ? options : new Map([...options, option(bootFileName, file)]),
  };
}

function withFixedFields(packet: DhcpPacket, sizeOfOptions: number): Uint8Array {
  const bytes = zeroed(Math.max(headerLength + sizeOfOptions, minimumLength));
  if (packet.chaddr.length > 16) throw new RangeError(`chaddr has ${packet.chaddr.length} bytes, 16 is the limit`);
  bytes[0] = packet.op === 'request' ? 1 : 2;
  bytes[1] = packet.htype;
  bytes[2] = packet.chaddr.length;
  bytes[3] = packet.hops;
  writeUint16(packet.xid >>> 16, bytes, 4);
  writeUint16(packet.xid, bytes, 6);
  writeUint16(packet.secs, bytes, 8);
  writeUint16(packet.flags, bytes, 10);
  writeAddress(packet.ciaddr, bytes, 12);
  writeAddress(packet.yiaddr, bytes, 16);
  writeAddress(packet.siaddr, bytes, 20);
  writeAddress(packet.giaddr, bytes, 24);
  writeBytes(packet.chaddr, bytes, 28);
  writeBytes(magicCookie, bytes, headerLength - magicCookie.length);
  return bytes;
}

const slabBytes = 64 * 1024;
let slab = new Uint8Array(slabBytes);
let slabUsed = 0;

/** Many from one stretch of memory, which costs more to get and to give back than a message does to write. */
function zeroed(length: number): Uint8Array {
  if (length > slabBytes / 16) return new Uint8Array(length);
  if (slabUsed + length > slabBytes) {
    slab = new Uint8Array(slabBytes);
    slabUsed = 0;
  }
  return slab.subarray(slabUsed, (slabUsed += length));
}

function writeUint16(value: number, bytes: Uint8Array, at: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Into bytes that are 0 so far. */
function writeAddress(address: string, bytes: Uint8Array, at: number): void {
  if (address !== noAddress) writeIpv4(address, bytes, at);
}

/** `set` costs more than a few bytes do. */
function writeBytes(value: Uint8Array, bytes: Uint8Array, at: number): void {
  if (value.length > 32) bytes.set(value, at);
  else for (let i = 0; i < value.length; i++) bytes[at + i] = value[i] ?? 0;
}

function writeText(text: string, bytes: Uint8Array, at: number, length: number): void {
  // A field without a NUL at its end is against RFC 2131 §2, but it was read as it is.
  if (text.length > length) throw new RangeError(`${JSON.stringify(text)} is longer than ${length} bytes`);
  if (text !== '') bytes.set(textBytes(text), at);
}

/** What stands behind a code and a length: 255 bytes of an option's value at most. */
interface Part {
  readonly code: number;
  readonly value: Uint8Array;
}

/** With the end mark. */
function sizeOf(parts: readonly Part[]): number {
  let size = 1;
  for (const { value } of parts) size += 2 + value.length;
  return size;
}

function writeParts(parts: readonly Part[], bytes: Uint8Array, from: number): void {
  let at = from;
  for (const { code, value } of parts) at = writePart(code, value, bytes, at);
  bytes[at] = end;
}

/** Returns where the next one goes. */
function writePart(code: number, value: Uint8Array, bytes: Uint8Array, at: number): number {
  bytes[at] = code;
  bytes[at + 1] = value.length;
  writeBytes(value, bytes, at + 2);
  return at + 2 + value.length;
}

/** A value of more than 255 bytes goes out in parts that follow each other (RFC 3396 §6). */
function partsOf(code: number, value: Uint8Array): readonly Part[] {
  return Array.from({ length: Math.ceil(value.length / longestPart) }, (_, i) => ({
    code,
    value: value.subarray(i * longestPart, (i + 1) * longestPart),
  }));
}

interface Areas {
  readonly main: readonly Part[];
  readonly file?: readonly Part[];
  readonly sname?: readonly Part[];
}

type Missed = (code: number, length: number) => void;

function placeOptions(options: Options, room: number, free: Overload, missed: Missed): Areas {
  const others: Part[] = [];
  const relay: Part[] = [];
  for (const [code, value] of options) {
    expectWritable(code);
    // What a relay added is the last option (RFC 3046 §2.1) and stays in the options field: relays look nowhere else.
    const parts = code === relayAgent.code ? relay : others;
    if (value.length <= longestPart) parts.push({ code, value });
    else parts.push(...partsOf(code, value));
  }
  if (sizeOf(others) + sizeOf(relay) - 1 <= room) return { main: relay.length > 0 ? [...others, ...relay] : others };
  return overloaded(options, relay, room, free, missed);
}

function overloaded(options: Options, relay: readonly Part[], room: number, free: Overload, missed: Missed): Areas {
  const markLength = free.file || free.sname ? overloadLength : 0;
  const main = new Area(Math.max(room - markLength - sizeOf(relay) + 1, relay.length > 0 ? besideRelay : 0));
  const file = new Area(free.file ? fileLength : 0);
  const sname = new Area(free.sname ? snameLength : 0);
  // The order in which a client reads them (RFC 2131 §4.1).
  for (const [code, value] of options) {
    if (code !== relayAgent.code && !place(code, value, [main, file, sname])) missed(code, value.length);
  }
  const overload = { file: file.parts.length > 0, sname: sname.parts.length > 0 };
  const mark = overload.file || overload.sname ? [option(optionOverload, overload)] : [];
  return {
    main: [...main.parts, ...mark.map(([code, value]) => ({ code, value })), ...relay],
    ...(overload.file ? { file: file.parts } : {}),
    ...(overload.sname ? { sname: sname.parts } : {}),
  };
}

function expectWritable(code: number): void {
  if (!Number.isInteger(code) || code < 1 || code > 254) throw new RangeError(`${code} is not the code of an option`);
  if (code === optionOverload.code) throw new RangeError('option 52 follows from the message and is not given');
}

/** Whole into the first area with room. Only an option that has to be in parts anyway is spread over several (RFC 3396 §5). False: no room. */
function place(code: number, value: Uint8Array, areas: readonly Area[]): boolean {
  if (value.length <= longestPart) {
    const area = areas.find(({ free }) => free >= 2 + value.length);
    area?.take({ code, value });
    return area !== undefined;
  }
  if (areas.reduce((sum, area) => sum + area.capacity, 0) < value.length) return false;
  let at = 0;
  for (const area of areas) {
    while (at < value.length && area.free > 2) {
      const part = value.subarray(at, at + Math.min(longestPart, area.free - 2));
      area.take({ code, value: part });
      at += part.length;
    }
  }
  return true;
}

/** Room for options with their end mark. */
class Area {
  readonly parts: Part[] = [];
  free: number;

  constructor(room: number) {
    this.free = Math.max(room - 1, 0);
  }

  /** Bytes of one value that go in, in parts. */
  get capacity(): number {
    const whole = Math.floor(this.free / (longestPart + 2));
    return whole * longestPart + Math.max(this.free - whole * (longestPart + 2) - 2, 0);
  }

  take(part: Part): void {
    this.parts.push(part);
    this.free -= 2 + part.value.length;
  }
}
