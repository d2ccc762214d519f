import { MalformedOptionError } from './errors';
import type { OptionCodec } from './option-codec';

export const noAddress = '0.0.0.0';

export function readIpv4(raw: Uint8Array, at: number): string {
  return `${raw[at]}.${raw[at + 1]}.${raw[at + 2]}.${raw[at + 3]}`;
}

const ipv4Form = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** Throws RangeError when `address` is not dotted IPv4: that is our mistake, not the wire's. */
export function ipv4Bytes(address: string): Uint8Array {
  const bytes = new Uint8Array(4);
  writeIpv4(address, bytes, 0);
  return bytes;
}

/** Throws RangeError too. */
export function writeIpv4(address: string, into: Uint8Array, at: number): void {
  if (!ipv4Form.test(address)) throw new RangeError(`${JSON.stringify(address)} is not an IPv4 address`);
  let [value, place] = [0, at];
  for (let i = 0; i < address.length; i++) {
    const digit = address.charCodeAt(i) - 48;
    if (digit >= 0) value = value * 10 + digit;
    else [into[place++], value] = [value, 0];
  }
  into[place] = value;
}

/** Byte = character code: what came in goes out unchanged, whatever its encoding was. Trailing NULs are no text (RFC 2132 §2). */
export function readText(raw: Uint8Array): string {
  return latin1(withoutPadding(raw));
}

export function withoutPadding(raw: Uint8Array): Uint8Array {
  let end = raw.length;
  while (end > 0 && raw[end - 1] === 0) end--;
  return raw.subarray(0, end);
}

export function latin1(raw: Uint8Array): string {
  let text = '';
  for (const byte of raw) text += String.fromCharCode(byte);
  return text;
}

/** What has no place in one byte becomes `?`. */
export function textBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) > 0xff ? 0x3f : text.charCodeAt(i);
  return bytes;
}

export function expectLength(option: number, raw: Uint8Array, length: number): void {
  if (raw.length !== length)
    throw new MalformedOptionError({ option, reason: `length ${raw.length}, expected ${length}` });
}

export function ipv4Option(code: number, name: string): OptionCodec<string> {
  return {
    code,
    name,
    decode(raw) {
      expectLength(code, raw, 4);
      return readIpv4(raw, 0);
    },
    encode: ipv4Bytes,
  };
}

/** Addresses in order of preference. */
export function ipv4ListOption(code: number, name: string): OptionCodec<readonly string[]> {
  return {
    code,
    name,
    decode(raw) {
      if (raw.length === 0 || raw.length % 4 !== 0) {
        throw new MalformedOptionError({
          option: code,
          reason: `length ${raw.length} is not a positive multiple of 4`,
        });
      }
      return Array.from({ length: raw.length / 4 }, (_, i) => readIpv4(raw, i * 4));
    },
    encode: (addresses) => Uint8Array.from(addresses.flatMap((address) => [...ipv4Bytes(address)])),
  };
}

export function textOption(code: number, name: string): OptionCodec<string> {
  return {
    code,
    name,
    decode(raw) {
      if (raw.length === 0) throw new MalformedOptionError({ option: code, reason: 'empty' });
      return readText(raw);
    },
    // An option without bytes is against RFC 2132 §2.
    encode: (text) => (text === '' ? Uint8Array.of(0) : textBytes(text)),
  };
}

export function uint32Option(code: number, name: string): OptionCodec<number> {
  return {
    code,
    name,
    decode(raw) {
      expectLength(code, raw, 4);
      return new DataView(raw.buffer, raw.byteOffset, 4).getUint32(0);
    },
    encode(value) {
      const raw = new Uint8Array(4);
      new DataView(raw.buffer).setUint32(0, value);
      return raw;
    },
  };
}

export function concat(parts: Iterable<Uint8Array>): Uint8Array {
  const list = [...parts];
  const all = new Uint8Array(list.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of list) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
