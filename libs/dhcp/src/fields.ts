import { expectLength, MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';

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
