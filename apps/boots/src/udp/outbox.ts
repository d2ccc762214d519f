import { constants } from 'node:os';
import {
  address,
  type AddressOf,
  header,
  Messages,
  part,
  readPointer,
  swap32,
  writeAddress,
  writePointer,
} from './messages';
import type { Piece } from './piece';

const outSlots = 256;
/** A head, and a stretch of the file that may lie in two chunks. */
const outParts = 3;
const again: readonly number[] = [constants.errno.EAGAIN, constants.errno.ENOBUFS];

/** Datagrams to one peer that the system cuts from one message (UDP_SEGMENT, udp(7)): the way through it is gone once for all. */
const segments = { most: 64, bytes: 65_000, largest: 1472 } as const;
export const control = { bytes: 24, words: 6, length: 18, udpLevel: 17, segment: 103 } as const;
/** Peers that are sent datagrams one by one; with more than that, all are tried again. */
const mostApart = 1024;

/** Datagrams to be sent together, in the order they were put. */
export class Outbox {
  readonly #messages: Messages;
  readonly #controls: Uint32Array;
  readonly #at: { readonly parts: number; readonly controls: number };
  /** Keeps alive what the messages point to. */
  readonly #held: Piece[] = [];
  /** Messages: the first that is still to go, and the first that is free. */
  #first = 0;
  #end = 0;
  #datagrams = 0;
  #parts = 0;
  /** The last message: how many datagrams, the size of all but the last of them, bytes; whether another may follow in it. */
  #last = { count: 0, size: 0, bytes: 0, isOpen: false, ip: 0, port: 0 };
  /** Addresses that no message can be cut for: a smaller frame on the way, an interface that leaves checksums to us. */
  readonly #apart = new Set<number>();

  /** `send` returns how many went out, or the negative error number of the first. */
  constructor(
    private readonly send: (at: number, count: number) => number,
    private readonly addressOf: AddressOf,
    private readonly canSegment: boolean,
    /** A datagram to `ip` that the system refused, with its error number (errno(3)). */
    private readonly onLost: (ip: number, errno: number) => void = () => undefined,
  ) {
    this.#messages = new Messages(outSlots, outParts, 4, addressOf);
    this.#controls = new Uint32Array(outSlots * control.words);
    this.#at = { parts: addressOf(this.#messages.parts), controls: addressOf(this.#controls) };
  }

  get isEmpty(): boolean {
    return this.#first === this.#end;
  }

  /** `head`: the first four bytes, as they follow each other. False: full. */
  put(ip: number, port: number, head: number, pieces: readonly Piece[]): boolean {
    if (this.#datagrams === outSlots && !this.flush()) return false;
    let size = 4;
    for (const { from, to } of pieces) size += to - from;
    if (this.#follows(ip, port, size)) this.#join(size, 1 + pieces.length);
    else this.#open(ip, port, size, 1 + pieces.length);
    this.#write(head, pieces);
    return true;
  }

  /** True: all are out. False: the socket takes no more just now. */
  flush(): boolean {
    this.#last.isOpen = false;
    while (this.#first < this.#end) {
      const sent = this.send(this.#messages.at + this.#first * header.bytes, this.#end - this.#first);
      if (sent < 0 && again.includes(-sent)) return false;
      // Any other error is that of one message (its destination, its size): as good as lost, unless it was to be cut.
      if (sent < 0) this.#sendApart(this.#first, -sent);
      this.#first += Math.max(sent, 1);
    }
    this.#first = this.#end = this.#datagrams = this.#parts = 0;
    this.#held.length = 0;
    return true;
  }

  #follows(ip: number, port: number, size: number): boolean {
    const last = this.#last;
    if (!last.isOpen || last.port !== port || last.ip !== ip || size > last.size) return false;
    return last.count < segments.most && last.bytes + size <= segments.bytes;
  }

  #open(ip: number, port: number, size: number, parts: number): void {
    const { headers, names } = this.#messages;
    const i = this.#end++;
    const at = i * header.words;
    writeAddress(names, i * address.words, ip, port);
    writePointer(headers, at + header.vector, this.#at.parts + this.#parts * part.bytes);
    headers[at + header.parts] = parts;
    headers[at + header.controlLength] = 0;
    const last = this.#last;
    last.isOpen = this.canSegment && size <= segments.largest && !this.#apart.has(ip);
    last.ip = ip;
    last.port = port;
    last.count = 1;
    last.size = last.bytes = size;
  }

  #join(size: number, parts: number): void {
    const { headers } = this.#messages;
    const last = this.#last;
    const at = (this.#end - 1) * header.words;
    headers[at + header.parts] = (headers[at + header.parts] ?? 0) + parts;
    if (++last.count === 2) this.#cut(this.#end - 1, last.size);
    last.bytes += size;
    // A shorter one is the last.
    last.isOpen = size === last.size;
  }

  /** struct cmsghdr, and the size that message `i` is cut into. */
  #cut(i: number, size: number): void {
    const { headers } = this.#messages;
    writePointer(headers, i * header.words + header.control, this.#at.controls + i * control.bytes);
    headers[i * header.words + header.controlLength] = control.bytes;
    this.#controls.set([control.length, 0, control.udpLevel, control.segment, size, 0], i * control.words);
  }

  #write(head: number, pieces: readonly Piece[]): void {
    const { parts, data } = this.#messages;
    const i = this.#datagrams++;
    data.writeUInt32BE(head >>> 0, i * 4);
    this.#part(this.#messages.dataAt + i * 4, 4, parts);
    for (const piece of pieces) {
      piece.chunk.address ??= this.addressOf(piece.chunk.bytes);
      this.#part(piece.chunk.address + piece.from, piece.to - piece.from, parts);
      this.#held.push(piece);
    }
  }

  #part(pointer: number, length: number, parts: Uint32Array): void {
    const at = this.#parts++ * part.words;
    writePointer(parts, at, pointer);
    parts[at + part.length] = length;
  }

  /** Message `i` could not be cut: each of its datagrams by itself, and so from now on for this peer. */
  #sendApart(i: number, errno: number): void {
    const { headers, parts, names, at } = this.#messages;
    const words = i * header.words;
    const ip = swap32(names[i * address.words + 1] ?? 0);
    if (headers[words + header.controlLength] === 0) {
      this.onLost(ip, errno);
      return;
    }
    if (this.#apart.size >= mostApart) this.#apart.clear();
    this.#apart.add(ip);
    const size = this.#controls[i * control.words + 4] ?? 0;
    let from = readPointer(headers, words + header.vector);
    let left = headers[words + header.parts] ?? 0;
    headers[words + header.controlLength] = 0;
    while (left > 0) {
      let count = 0;
      for (let bytes = 0; count < left && bytes < size; count++) {
        bytes += parts[((from - this.#at.parts) / part.bytes + count) * part.words + part.length] ?? 0;
      }
      writePointer(headers, words + header.vector, from);
      headers[words + header.parts] = count;
      const sent = this.send(at + i * header.bytes, 1);
      if (sent < 0) this.onLost(ip, -sent);
      from += count * part.bytes;
      left -= count;
    }
  }
}
