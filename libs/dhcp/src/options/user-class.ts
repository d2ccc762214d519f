import { MalformedOptionError } from '../errors';
import { concat, latin1, readText, textBytes } from '../fields';
import type { OptionCodec } from '../option-codec';

export interface UserClass {
  /** `raw`: one name without a length byte, as iPXE sends it although RFC 3004 wants one. */
  readonly form: 'rfc3004' | 'raw';
  readonly classes: readonly string[];
}

/** RFC 3004 §4, or the raw text of iPXE (`iPXE`, or what its script set as user-class). */
export const userClass: OptionCodec<UserClass> = {
  code: 77,
  name: 'user-class',
  decode(raw) {
    if (raw.length === 0) throw new MalformedOptionError({ option: 77, reason: 'empty' });
    const classes = lengthPrefixed(raw);
    return classes ? { form: 'rfc3004', classes } : { form: 'raw', classes: [readText(raw)] };
  },
  encode({ form, classes }) {
    const texts = classes.map(textBytes);
    return concat(form === 'raw' ? texts : texts.map((text) => Uint8Array.of(text.length, ...text)));
  },
};

/** The classes when lengths and bytes fit exactly, else undefined: the text is raw. */
function lengthPrefixed(raw: Uint8Array): readonly string[] | undefined {
  const classes: string[] = [];
  let at = 0;
  while (at < raw.length) {
    const length = raw[at] ?? 0;
    if (length === 0 || at + 1 + length > raw.length) return undefined;
    classes.push(latin1(raw.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return classes;
}
