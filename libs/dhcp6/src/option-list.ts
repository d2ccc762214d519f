import { concat, MalformedPacketError } from '@tinkerbell/bytes';
import type { Option, Options } from './message';

/** RFC 8415 §21.1. Throws MalformedPacketError; `at`: where the options begin in the bytes. */
export function decodeOptions(bytes: Uint8Array, at = 0): Options {
  const options: Option[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new MalformedPacketError(`${bytes.length - at} bytes are no option`, at);
    const [code, length] = [view.getUint16(at), view.getUint16(at + 2)];
    const end = at + 4 + length;
    if (end > bytes.length) {
      throw new MalformedPacketError(`option ${code} wants ${length} bytes, ${bytes.length - at - 4} are left`, at);
    }
    options.push({ code, value: bytes.slice(at + 4, end) });
    at = end;
  }
  return options;
}

/** Throws RangeError for an option that cannot be written. */
export function encodeOptions(options: Options): Uint8Array {
  return concat(
    options.map(({ code, value }) => {
      if (value.length > 0xffff) throw new RangeError(`option ${code} has ${value.length} bytes, 65535 is the limit`);
      return concat([uint16(code), uint16(value.length), value]);
    }),
  );
}

export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
