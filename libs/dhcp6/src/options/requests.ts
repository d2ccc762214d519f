import { expectLength, MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';
import { emptyOption } from '../fields';
import { uint16 } from '../option-list';

/** RFC 8415 §21.7: the options that a client wants. An empty list is one, of nothing. */
export const optionRequest: OptionCodec<readonly number[]> = {
  code: 6,
  name: 'option-request',
  decode(raw) {
    if (raw.length % 2 !== 0) throw new MalformedOptionError({ option: 6, reason: `length ${raw.length} is odd` });
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    return Array.from({ length: raw.length / 2 }, (_, i) => view.getUint16(i * 2));
  },
  encode: (codes) => Uint8Array.from(codes.flatMap((code) => [...uint16(code)])),
};

/** RFC 8415 §21.8: 255 ends a client's wait for other servers. */
export const preference: OptionCodec<number> = {
  code: 7,
  name: 'preference',
  decode(raw) {
    expectLength(7, raw, 1);
    return raw[0] ?? 0;
  },
  encode: (value) => Uint8Array.of(value),
};

/** RFC 8415 §21.9, in hundredths of a second. */
export const elapsedTime: OptionCodec<number> = {
  code: 8,
  name: 'elapsed-time',
  decode(raw) {
    expectLength(8, raw, 2);
    return new DataView(raw.buffer, raw.byteOffset, 2).getUint16(0);
  },
  encode: uint16,
};

/** RFC 8415 §21.14. */
export const rapidCommit = emptyOption(14, 'rapid-commit');
