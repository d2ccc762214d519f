import {
  concat,
  expectLength,
  formatIpv6,
  MalformedOptionError,
  MalformedPacketError,
  type OptionCodec,
  parseIpv6,
} from '@tinkerbell/bytes';
import type { Options } from './message';
import { decodeOptions, uint16 } from './option-list';

export const noAddress = '::';

/** RFC 5952. */
export function readAddress(raw: Uint8Array, at: number): string {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  return formatIpv6(Array.from({ length: 8 }, (_, i) => view.getUint16(at + 2 * i)));
}

/** Throws RangeError when `address` is not IPv6: that is our mistake, not the wire's. */
export function addressBytes(address: string): Uint8Array {
  const groups = parseIpv6(address);
  if (!groups) throw new RangeError(`${JSON.stringify(address)} is not an IPv6 address`);
  return concat(groups.map(uint16));
}

export function bytesOption(code: number, name: string): OptionCodec<Uint8Array> {
  return { code, name, decode: (raw) => raw, encode: (value) => value };
}

export function emptyOption(code: number, name: string): OptionCodec<true> {
  return {
    code,
    name,
    decode(raw) {
      expectLength(code, raw, 0);
      return true;
    },
    encode: () => new Uint8Array(),
  };
}

/** Addresses in order of preference. */
export function addressesOption(code: number, name: string): OptionCodec<readonly string[]> {
  return {
    code,
    name,
    decode(raw) {
      if (raw.length === 0 || raw.length % 16 !== 0) {
        throw new MalformedOptionError({
          option: code,
          reason: `length ${raw.length} is not a positive multiple of 16`,
        });
      }
      return Array.from({ length: raw.length / 16 }, (_, i) => readAddress(raw, i * 16));
    },
    encode: (addresses) => concat(addresses.map(addressBytes)),
  };
}

/** One or more, each behind its length in two bytes. */
export function readPrefixed(option: number, raw: Uint8Array, from: number): readonly Uint8Array[] {
  const items: Uint8Array[] = [];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  let at = from;
  while (at < raw.length) {
    const length = at + 2 > raw.length ? Infinity : view.getUint16(at);
    if (at + 2 + length > raw.length)
      throw new MalformedOptionError({ option, reason: `item at byte ${at} is cut off` });
    items.push(raw.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return items;
}

export function writePrefixed(option: number, items: readonly Uint8Array[]): Uint8Array {
  return concat(
    items.flatMap((item) => {
      if (item.length > 0xffff) throw new RangeError(`option ${option}: an item of ${item.length} bytes`);
      return [uint16(item.length), item];
    }),
  );
}

export function atLeast(option: number, raw: Uint8Array, length: number): DataView {
  if (raw.length < length) {
    throw new MalformedOptionError({ option, reason: `length ${raw.length}, expected at least ${length}` });
  }
  return new DataView(raw.buffer, raw.byteOffset, raw.length);
}

/** The options inside of an option, whose fault is that option's. */
export function nestedOptions(option: number, raw: Uint8Array, at: number): Options {
  try {
    return decodeOptions(raw, at);
  } catch (error) {
    if (error instanceof MalformedPacketError) throw new MalformedOptionError({ option, reason: error.message });
    throw error;
  }
}
