import { concat, latin1, MalformedOptionError, type OptionCodec, textBytes, withoutPadding } from '@tinkerbell/bytes';

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
    const text = withoutPadding(raw);
    const classes = lengthPrefixed(raw) ?? (text.length > 0 ? lengthPrefixed(text) : undefined);
    return classes ? { form: 'rfc3004', classes } : { form: 'raw', classes: [latin1(text)] };
  },
  encode({ form, classes }) {
    const texts = classes.map(textBytes);
    const bad = form === 'raw' ? undefined : texts.find(({ length }) => length === 0 || length > 255);
    if (bad) throw new RangeError(`a user class of ${bad.length} bytes, 1 to 255 can be written`);
    const bytes = concat(form === 'raw' ? texts : texts.map((text) => Uint8Array.of(text.length, ...text)));
    return bytes.length === 0 ? Uint8Array.of(0) : bytes;
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
