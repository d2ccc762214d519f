import { expectLength } from '../fields';
import type { OptionCodec } from '../option-codec';

/** RFC 4578 §2.2: kind of network driver interface (1 = UNDI) and its version. */
export interface ClientInterface {
  readonly type: number;
  readonly major: number;
  readonly minor: number;
}

export const clientInterface: OptionCodec<ClientInterface> = {
  code: 94,
  name: 'client-interface',
  decode(raw) {
    expectLength(94, raw, 3);
    const [type = 0, major = 0, minor = 0] = raw;
    return { type, major, minor };
  },
  encode: ({ type, major, minor }) => Uint8Array.of(type, major, minor),
};
