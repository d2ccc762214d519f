import { MalformedTftpError } from './errors';

/** Option names in lower case (RFC 2347: they are case-insensitive), in the order of the packet. */
export type TftpOptions = ReadonlyMap<string, string>;

export interface TftpRequest {
  readonly op: 'rrq' | 'wrq';
  readonly file: string;
  /** `octet` or `netascii`, in lower case; others as they came. */
  readonly mode: string;
  readonly options: TftpOptions;
}

export type TftpPacket =
  | TftpRequest
  | { readonly op: 'data'; readonly block: number; readonly data: Uint8Array }
  | { readonly op: 'ack'; readonly block: number }
  | { readonly op: 'error'; readonly code: number; readonly message: string }
  | { readonly op: 'oack'; readonly options: TftpOptions };

/** RFC 1350 §5, RFC 2347. */
export const tftpError = {
  undefined: 0,
  fileNotFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTransferId: 5,
  fileExists: 6,
  noSuchUser: 7,
  optionRefused: 8,
} as const;

/** A whole request has to fit here (RFC 2347 §3). */
const maximumRequest = 512;

/** RFC 1350 §5 and RFC 2347. Throws MalformedTftpError. */
export function decodeTftp(bytes: Uint8Array): TftpPacket {
  if (bytes.length < 4) throw new MalformedTftpError(`${bytes.length} bytes, a TFTP packet has at least 4`);
  const opcode = word(bytes, 0);
  switch (opcode) {
    case 1:
    case 2:
      return decodeRequest(opcode === 1 ? 'rrq' : 'wrq', bytes);
    case 3:
      return { op: 'data', block: word(bytes, 2), data: bytes.slice(4) };
    case 4:
      return { op: 'ack', block: word(bytes, 2) };
    case 5:
      // Old firmware leaves out the NUL after the message.
      return { op: 'error', code: word(bytes, 2), message: text(bytes.subarray(4)).split('\0')[0] ?? '' };
    case 6:
      return { op: 'oack', options: pairs(strings(bytes.subarray(2))) };
    default:
      throw new MalformedTftpError(`opcode ${opcode}`);
  }
}

/** Most packets are one: the block of an ACK, without an object for it; undefined: it is none. */
export function acknowledgedBlock(bytes: Uint8Array): number | undefined {
  return bytes.length >= 4 && word(bytes, 0) === 4 ? word(bytes, 2) : undefined;
}

export function encodeTftp(packet: TftpPacket): Uint8Array {
  switch (packet.op) {
    case 'rrq':
    case 'wrq':
      return withOpcode(
        packet.op === 'rrq' ? 1 : 2,
        zeroTerminated([packet.file, packet.mode, ...flat(packet.options)]),
      );
    case 'data':
      return withOpcode(3, [packet.block >> 8, packet.block & 0xff], packet.data);
    case 'ack':
      return withOpcode(4, [packet.block >> 8, packet.block & 0xff]);
    case 'error':
      return withOpcode(5, [packet.code >> 8, packet.code & 0xff, ...zeroTerminated([packet.message])]);
    case 'oack':
      return withOpcode(6, zeroTerminated(flat(packet.options)));
  }
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function decodeRequest(op: 'rrq' | 'wrq', bytes: Uint8Array): TftpRequest {
  if (bytes.length > maximumRequest) {
    throw new MalformedTftpError(`request of ${bytes.length} bytes, ${maximumRequest} is the limit`);
  }
  const [file, mode, ...options] = strings(bytes.subarray(2));
  if (file === undefined || file === '') throw new MalformedTftpError('request without a file name');
  if (mode === undefined) throw new MalformedTftpError('request without a mode');
  return { op, file, mode: mode.toLowerCase(), options: pairs(options) };
}

/** NUL-terminated strings; what follows the last NUL is not one. */
function strings(bytes: Uint8Array): readonly string[] {
  const parts = text(bytes).split('\0');
  if (parts.pop() !== '') throw new MalformedTftpError('text without a NUL at its end');
  return parts;
}

function pairs(parts: readonly string[]): TftpOptions {
  const options = new Map<string, string>();
  for (let i = 0; i < parts.length; i += 2) {
    const name = (parts[i] ?? '').toLowerCase();
    // NULs of firmware that fills up its packets.
    if (name === '') continue;
    const value = parts[i + 1];
    if (value === undefined) throw new MalformedTftpError(`option ${JSON.stringify(name)} without a value`);
    // RFC 2347: an option is given once; the first one counts.
    if (!options.has(name)) options.set(name, value);
  }
  return options;
}

function flat(options: TftpOptions): readonly string[] {
  return [...options].flat();
}

function withOpcode(opcode: number, rest: readonly number[], data: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = new Uint8Array(2 + rest.length + data.length);
  bytes[1] = opcode;
  bytes.set(rest, 2);
  bytes.set(data, 2 + rest.length);
  return bytes;
}

function zeroTerminated(texts: readonly string[]): readonly number[] {
  return texts.flatMap((part) => [...Array.from(part, (character) => character.charCodeAt(0) & 0xff), 0]);
}

function text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
