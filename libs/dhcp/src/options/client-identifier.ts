import { MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';

export interface ClientIdentifier {
  /** 0: opaque; 1: Ethernet address; 255: IAID + DUID (RFC 4361). */
  readonly type: number;
  readonly id: Uint8Array;
}

/** RFC 2132 §9.14. A reply carries it back unchanged (RFC 6842). */
export const clientIdentifier: OptionCodec<ClientIdentifier> = {
  code: 61,
  name: 'client-identifier',
  decode(raw) {
    const [type, ...id] = raw;
    if (type === undefined || id.length === 0) {
      throw new MalformedOptionError({ option: 61, reason: `length ${raw.length}, expected at least 2` });
    }
    return { type, id: Uint8Array.from(id) };
  },
  encode: ({ type, id }) => Uint8Array.of(type, ...id),
};
