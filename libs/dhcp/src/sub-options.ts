import { concat, MalformedOptionError } from '@tinkerbell/bytes';

export type SubOptions = ReadonlyMap<number, Uint8Array>;

/**
 * Options inside an option. `padded`: code 0 is a pad and 255 the end (RFC 2132 §8.4: options 43, 175);
 * in option 82 both are ordinary codes (RFC 3046 §2.0).
 */
export function decodeSubOptions(option: number, raw: Uint8Array, padded: boolean): SubOptions {
  const found = new Map<number, Uint8Array>();
  let at = 0;
  while (at < raw.length) {
    const code = raw[at] ?? 0;
    if (padded && code === 255) break;
    if (padded && code === 0) {
      at++;
      continue;
    }
    const length = raw[at + 1];
    if (length === undefined || at + 2 + length > raw.length) {
      throw new MalformedOptionError({ option, reason: `sub-option ${code} at byte ${at} is cut off` });
    }
    const value = raw.subarray(at + 2, at + 2 + length);
    found.set(code, concat([found.get(code) ?? new Uint8Array(), value]));
    at += 2 + length;
  }
  return found;
}

/** A value of more than 255 bytes goes out in parts, as it was read (RFC 3396 §9). */
export function encodeSubOptions(values: SubOptions, terminated: boolean): Uint8Array {
  const parts = [...values].flatMap(([code, value]) => {
    if (terminated && (code === 0 || code === 255)) throw new RangeError(`${code} is not the code of a sub-option`);
    const count = Math.max(Math.ceil(value.length / 255), 1);
    return Array.from({ length: count }, (_, i) => {
      const part = value.subarray(i * 255, (i + 1) * 255);
      return Uint8Array.of(code, part.length, ...part);
    });
  });
  return concat(terminated ? [...parts, Uint8Array.of(255)] : parts);
}
