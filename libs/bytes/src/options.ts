import { MalformedOptionError } from './errors';
import type { OptionCodec } from './option-codec';
import { readText, textBytes } from './text';

export function expectLength(option: number, raw: Uint8Array, length: number): void {
  if (raw.length !== length)
    throw new MalformedOptionError({ option, reason: `length ${raw.length}, expected ${length}` });
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
      return (((raw[0] ?? 0) << 24) | ((raw[1] ?? 0) << 16) | ((raw[2] ?? 0) << 8) | (raw[3] ?? 0)) >>> 0;
    },
    encode(value) {
      // A DataView of its own costs more than all else here.
      return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
    },
  };
}

/** At least one, in order of preference. */
export function uint16ListOption(code: number, name: string): OptionCodec<readonly number[]> {
  return {
    code,
    name,
    decode(raw) {
      if (raw.length === 0 || raw.length % 2 !== 0) {
        throw new MalformedOptionError({
          option: code,
          reason: `length ${raw.length} is not a positive multiple of 2`,
        });
      }
      const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
      return Array.from({ length: raw.length / 2 }, (_, i) => view.getUint16(i * 2));
    },
    encode(values) {
      const raw = new Uint8Array(values.length * 2);
      const view = new DataView(raw.buffer);
      values.forEach((value, i) => view.setUint16(i * 2, value));
      return raw;
    },
  };
}

/** Kind of network driver interface (1 = UNDI) and its version: RFC 4578 §2.2, RFC 5970 §3.4. */
export interface ClientInterface {
  readonly type: number;
  readonly major: number;
  readonly minor: number;
}

export function clientInterfaceOption(code: number, name: string): OptionCodec<ClientInterface> {
  return {
    code,
    name,
    decode(raw) {
      expectLength(code, raw, 3);
      const [type = 0, major = 0, minor = 0] = raw;
      return { type, major, minor };
    },
    encode: ({ type, major, minor }) => Uint8Array.of(type, major, minor),
  };
}
