// The layouts of the C structures on 64-bit little-endian Linux, in 32-bit words.
export const header = {
  bytes: 64,
  words: 16,
  nameLength: 2,
  vector: 4,
  parts: 6,
  control: 8,
  controlLength: 10,
  received: 14,
} as const;
export const part = { bytes: 16, words: 4, length: 2 } as const;
export const address = { bytes: 16, words: 4 } as const;
const family = 2;

type View = Uint8Array | Uint32Array;
/** Where in memory something lies. Views of more than 64 bytes lie outside V8's heap and stay there; addresses have 57 bits at most. */
export type AddressOf = (view: View) => number;

/** `count` struct mmsghdr with what they point to; `data` has `size` bytes for each, which its first part points to. */
export class Messages {
  readonly headers: Uint32Array;
  readonly parts: Uint32Array;
  readonly names: Uint32Array;
  readonly data: Buffer;
  /** Address of the first header. */
  readonly at: number;
  readonly dataAt: number;

  constructor(count: number, partsEach: number, size: number, addressOf: AddressOf) {
    this.headers = new Uint32Array(count * header.words);
    this.parts = new Uint32Array(count * partsEach * part.words);
    this.names = new Uint32Array(count * address.words);
    this.data = Buffer.allocUnsafeSlow(count * size);
    this.at = addressOf(this.headers);
    const [parts, names, data] = [addressOf(this.parts), addressOf(this.names), addressOf(this.data)];
    this.dataAt = data;
    for (let i = 0; i < count; i++) {
      const at = i * header.words;
      writePointer(this.headers, at, names + i * address.bytes);
      this.headers[at + header.nameLength] = address.bytes;
      writePointer(this.headers, at + header.vector, parts + i * partsEach * part.bytes);
      this.headers[at + header.parts] = 1;
      writePointer(this.parts, i * partsEach * part.words, data + i * size);
      this.parts[i * partsEach * part.words + part.length] = size;
    }
  }
}

export function writePointer(words: Uint32Array, at: number, pointer: number): void {
  // The array takes the lower half of it.
  words[at] = pointer;
  words[at + 1] = Math.floor(pointer / 2 ** 32);
}

export function readPointer(words: Uint32Array, at: number): number {
  return (words[at] ?? 0) + (words[at + 1] ?? 0) * 2 ** 32;
}

/** struct sockaddr_in: the family as the machine has it, port and address as the network does. */
export function writeAddress(words: Uint32Array, at: number, ip: number, port: number): void {
  words[at] = (family | (swap16(port) << 16)) >>> 0;
  words[at + 1] = swap32(ip);
}

export function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}

export function swap32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
