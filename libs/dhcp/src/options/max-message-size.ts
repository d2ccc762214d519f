import { expectLength, MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';

/** Largest message the client takes (RFC 2132 §9.10), bytes, at least 576. Counted with IP and UDP header, the safe reading. */
export const maxMessageSize: OptionCodec<number> = {
  code: 57,
  name: 'max-message-size',
  decode(raw) {
    expectLength(57, raw, 2);
    const size = new DataView(raw.buffer, raw.byteOffset, 2).getUint16(0);
    if (size < 576) throw new MalformedOptionError({ option: 57, reason: `${size} is below 576` });
    return size;
  },
  encode: (size) => Uint8Array.of(size >> 8, size & 0xff),
};
