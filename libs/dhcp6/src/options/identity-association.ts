import { concat, type OptionCodec } from '@tinkerbell/bytes';
import { addressBytes, atLeast, nestedOptions, readAddress } from '../fields';
import type { Options } from '../message';
import { encodeOptions, uint32 } from '../option-list';

/** What a client binds addresses or prefixes to. Times in seconds; 0 leaves them to the client, 0xffffffff is for ever. */
export interface IdentityAssociation {
  readonly iaid: number;
  /** When to ask the same server again, and when any server. */
  readonly t1: number;
  readonly t2: number;
  readonly options: Options;
}

/** RFC 8415 §21.4. */
export const iaNa = timedAssociation(3, 'ia-na');
/** RFC 8415 §21.21. */
export const iaPd = timedAssociation(25, 'ia-pd');

/** RFC 8415 §21.5. */
export const iaTa: OptionCodec<{ readonly iaid: number; readonly options: Options }> = {
  code: 4,
  name: 'ia-ta',
  decode(raw) {
    const view = atLeast(4, raw, 4);
    return { iaid: view.getUint32(0), options: nestedOptions(4, raw, 4) };
  },
  encode: ({ iaid, options }) => concat([uint32(iaid), encodeOptions(options)]),
};

export interface IaAddress {
  readonly address: string;
  readonly preferredSeconds: number;
  readonly validSeconds: number;
  readonly options: Options;
}

/** RFC 8415 §21.6. */
export const iaAddress: OptionCodec<IaAddress> = {
  code: 5,
  name: 'ia-address',
  decode(raw) {
    const view = atLeast(5, raw, 24);
    return {
      address: readAddress(raw, 0),
      preferredSeconds: view.getUint32(16),
      validSeconds: view.getUint32(20),
      options: nestedOptions(5, raw, 24),
    };
  },
  encode: ({ address, preferredSeconds, validSeconds, options }) =>
    concat([addressBytes(address), uint32(preferredSeconds), uint32(validSeconds), encodeOptions(options)]),
};

function timedAssociation(code: number, name: string): OptionCodec<IdentityAssociation> {
  return {
    code,
    name,
    decode(raw) {
      const view = atLeast(code, raw, 12);
      return {
        iaid: view.getUint32(0),
        t1: view.getUint32(4),
        t2: view.getUint32(8),
        options: nestedOptions(code, raw, 12),
      };
    },
    encode: ({ iaid, t1, t2, options }) => concat([uint32(iaid), uint32(t1), uint32(t2), encodeOptions(options)]),
  };
}
