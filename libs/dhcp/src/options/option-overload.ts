import { expectLength, MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';

export interface Overload {
  /** The `file` field holds options. */
  readonly file: boolean;
  /** The `sname` field holds options. */
  readonly sname: boolean;
}

/** RFC 2132 §9.3. `decodePacket` resolves it; it never shows among a packet's options. */
export const optionOverload: OptionCodec<Overload> = {
  code: 52,
  name: 'option-overload',
  decode(raw) {
    expectLength(52, raw, 1);
    const value = raw[0] ?? 0;
    if (value < 1 || value > 3)
      throw new MalformedOptionError({ option: 52, reason: `value ${value} is not 1, 2 or 3` });
    return { file: (value & 1) !== 0, sname: (value & 2) !== 0 };
  },
  encode: ({ file, sname }) => Uint8Array.of((file ? 1 : 0) | (sname ? 2 : 0)),
};
