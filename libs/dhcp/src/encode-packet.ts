import { concat, ipv4Bytes, textBytes } from './fields';
import { option, type Options } from './option-codec';
import { bootFileName } from './options/boot-file-name';
import { optionOverload, type Overload } from './options/option-overload';
import { relayAgent } from './options/relay-agent';
import { headerLength, magicCookie, type DhcpPacket } from './packet';

/** BOOTP relays and old firmware drop anything shorter (RFC 951 §3, RFC 1542 §2.1). */
const minimumLength = 300;
const ipAndUdpHeaders = 28;
const fileLength = 128;
const snameLength = 64;
const overloadLength = 3;
const end = 255;

/**
 * `maxSize`: of the IP datagram, as in option 57; 576 when the client did not say. Options go out in their order, which is their order
 * of importance: where room is short the empty `file` and `sname` fields are used too (RFC 2132 §9.3), and what still does not fit is
 * left out. A `file` of more than 127 bytes goes to option 67. Throws RangeError for a field that cannot be written.
 */
export function encodePacket(packet: DhcpPacket, { maxSize = 576 }: { readonly maxSize?: number } = {}): Uint8Array {
  const { file, options } = withLongFileMoved(packet);
  const room = Math.max(maxSize, 576) - ipAndUdpHeaders - headerLength;
  const areas = placeOptions(options, room, { file: file === '', sname: packet.sname === '' });
  const bytes = concat([
    fixedFields(packet),
    areas.sname ?? field(packet.sname, snameLength),
    areas.file ?? field(file, fileLength),
    magicCookie,
    areas.main,
  ]);
  return bytes.length < minimumLength ? concat([bytes, new Uint8Array(minimumLength - bytes.length)]) : bytes;
}

function withLongFileMoved({ file, options }: DhcpPacket): Pick<DhcpPacket, 'file' | 'options'> {
  if (textBytes(file).length < fileLength) return { file, options };
  return {
    file: '',
    options: options.has(bootFileName.code) ? options : new Map([...options, option(bootFileName, file)]),
  };
}

function fixedFields(packet: DhcpPacket): Uint8Array {
  const bytes = new Uint8Array(44);
  const view = new DataView(bytes.buffer);
  if (packet.chaddr.length > 16) throw new RangeError(`chaddr has ${packet.chaddr.length} bytes, 16 is the limit`);
  bytes.set([packet.op === 'request' ? 1 : 2, packet.htype, packet.chaddr.length, packet.hops]);
  view.setUint32(4, packet.xid);
  view.setUint16(8, packet.secs);
  view.setUint16(10, packet.flags);
  [packet.ciaddr, packet.yiaddr, packet.siaddr, packet.giaddr].forEach((address, i) => {
    bytes.set(ipv4Bytes(address), 12 + i * 4);
  });
  bytes.set(packet.chaddr, 28);
  return bytes;
}

function field(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const content = textBytes(text);
  if (content.length >= length) throw new RangeError(`${JSON.stringify(text)} is longer than ${length - 1} bytes`);
  bytes.set(content);
  return bytes;
}

/** Code, length, value; a value of more than 255 bytes in parts that follow each other (RFC 3396 §6). */
function optionBytes([code, value]: readonly [number, Uint8Array]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < value.length; at += 255) {
    const part = value.subarray(at, at + 255);
    parts.push(Uint8Array.of(code, part.length, ...part));
  }
  return concat(parts);
}

interface Areas {
  readonly main: Uint8Array;
  readonly file?: Uint8Array;
  readonly sname?: Uint8Array;
}

function placeOptions(options: Options, room: number, free: Overload): Areas {
  // What a relay added is the last option (RFC 3046 §2.1) and stays in the options field: relays look nowhere else.
  const relay = [...options].filter(([code]) => code === relayAgent.code).map(optionBytes);
  const others = [...options].filter(([code]) => code !== relayAgent.code).map(optionBytes);
  const all = [...others, ...relay, Uint8Array.of(end)];
  if (concat(all).length <= room) return { main: concat(all) };

  const main = new Area(room - overloadLength - concat(relay).length);
  const file = new Area(free.file ? fileLength : 0);
  const sname = new Area(free.sname ? snameLength : 0);
  for (const bytes of others) void (main.take(bytes) || file.take(bytes) || sname.take(bytes));
  const overload = { file: !file.isEmpty, sname: !sname.isEmpty };
  const mark = overload.file || overload.sname ? [optionBytes(option(optionOverload, overload))] : [];
  return {
    main: concat([...main.options(), ...mark, ...relay, Uint8Array.of(end)]),
    ...(overload.file ? { file: file.padded() } : {}),
    ...(overload.sname ? { sname: sname.padded() } : {}),
  };
}

/** Room for options with their end mark. */
class Area {
  readonly #parts: Uint8Array[] = [];
  #used = 1;

  constructor(private readonly room: number) {}

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  take(bytes: Uint8Array): boolean {
    if (this.#used + bytes.length > this.room) return false;
    this.#parts.push(bytes);
    this.#used += bytes.length;
    return true;
  }

  options(): readonly Uint8Array[] {
    return this.#parts;
  }

  padded(): Uint8Array {
    const bytes = new Uint8Array(this.room);
    bytes.set(concat([...this.#parts, Uint8Array.of(end)]));
    return bytes;
  }
}
