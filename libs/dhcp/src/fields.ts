import { expectLength, ipv4Text, MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';

export const noAddress = '0.0.0.0';

export function readIpv4(raw: Uint8Array, at: number): string {
  if (raw[at] === 0 && raw[at + 1] === 0 && raw[at + 2] === 0 && raw[at + 3] === 0) return noAddress;
  return ipv4Text(raw[at] ?? 0, raw[at + 1] ?? 0, raw[at + 2] ?? 0, raw[at + 3] ?? 0);
}

/** Throws RangeError when `address` is not dotted IPv4: that is our mistake, not the wire's. */
export function ipv4Bytes(address: string): Uint8Array {
  const bytes = new Uint8Array(4);
  writeIpv4(address, bytes, 0);
  return bytes;
}

/** Throws RangeError too. */
export function writeIpv4(address: string, into: Uint8Array, at: number): void {
  let value = 0;
  let digits = 0;
  let place = at;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === dot && digits > 0 && place < at + 3) {
      into[place++] = value;
      value = digits = 0;
    } else if (code >= zero && code <= nine && (digits < 2 || (digits === 2 && value >= 10))) {
      value = value * 10 + code - zero;
      digits++;
    } else throw noIpv4(address);
    if (value > 255) throw noIpv4(address);
  }
  if (digits === 0 || place !== at + 3) throw noIpv4(address);
  into[place] = value;
}

const [dot, zero, nine] = [46, 48, 57];

function noIpv4(address: string): RangeError {
  return new RangeError(`${JSON.stringify(address)} is not an IPv4 address`);
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
    encode(addresses) {
      const raw = new Uint8Array(addresses.length * 4);
      for (let i = 0; i < addresses.length; i++) writeIpv4(addresses[i] ?? '', raw, i * 4);
      return raw;
    },
  };
}
