import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { fn, type TemplateFunction } from './function';
import { bytesOf, textOfBytes } from './utf8';

interface Base {
  readonly name: string;
  readonly alphabet: string;
  /** Bits of a character. */
  readonly bits: number;
  /** Characters to which the text is filled up with `=`. */
  readonly group: number;
}
const base64: Base = {
  name: 'base64',
  alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  bits: 6,
  group: 4,
};
const base32: Base = { name: 'base32', alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', bits: 5, group: 8 };

/** Sprig's encodings and checksums. */
export const encodingFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['b64enc', fn(['string'], (text) => encode(base64, text))],
  ['b64dec', fn(['string'], (text) => decode(base64, text))],
  ['b32enc', fn(['string'], (text) => encode(base32, text))],
  ['b32dec', fn(['string'], (text) => decode(base32, text))],
  ['sha1sum', fn(['string'], (text) => hex(sha1(bytesOf(text))))],
  ['sha256sum', fn(['string'], (text) => hex(sha256(bytesOf(text))))],
  ['sha512sum', fn(['string'], (text) => hex(sha512(bytesOf(text))))],
  ['adler32sum', fn(['string'], adler32)],
];

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** RFC 4648. */
function encode({ alphabet, bits, group }: Base, text: string): string {
  let [held, count, out] = [0, 0, ''];
  for (const byte of bytesOf(text)) {
    [held, count] = [((held << 8) | byte) & 0xffff, count + 8];
    for (; count >= bits; count -= bits) out += alphabet.charAt((held >> (count - bits)) & ((1 << bits) - 1));
  }
  if (count > 0) out += alphabet.charAt((held << (bits - count)) & ((1 << bits) - 1));
  return out.padEnd(Math.ceil(out.length / group) * group, '=');
}

/** What is no such text is answered with what is wrong with it, as Sprig does. */
function decode({ name, alphabet, bits, group }: Base, given: string): string {
  const text = given.replace(/[\r\n]/g, '');
  const digits = text.replace(/=*$/, '');
  const wrong = Array.from(digits).findIndex((c) => !alphabet.includes(c));
  const spare = (digits.length * bits) % 8;
  if (wrong >= 0) return `illegal ${name} data at input byte ${wrong}`;
  if (text.length % group !== 0 || spare >= bits) {
    return `illegal ${name} data at input byte ${Math.floor(digits.length / group) * group}`;
  }
  const bytes: number[] = [];
  let [held, count] = [0, 0];
  for (const c of digits) {
    [held, count] = [((held << bits) | alphabet.indexOf(c)) & 0xffff, count + bits];
    if (count >= 8) bytes.push((held >> (count -= 8)) & 0xff);
  }
  return textOfBytes(new Uint8Array(bytes));
}

function adler32(text: string): string {
  let [a, b] = [1, 0];
  for (const byte of bytesOf(text)) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return String(b * 65_536 + a);
}
