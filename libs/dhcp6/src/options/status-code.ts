import { concat, latin1, type OptionCodec, textBytes } from '@tinkerbell/bytes';
import { atLeast } from '../fields';
import { uint16 } from '../option-list';

/** RFC 8415 §21.13. */
export const status = {
  success: 0,
  unspecFail: 1,
  noAddrsAvail: 2,
  noBinding: 3,
  notOnLink: 4,
  useMulticast: 5,
  noPrefixAvail: 6,
} as const;

export interface StatusCode {
  readonly code: number;
  /** For people. */
  readonly message: string;
}

export const statusCode: OptionCodec<StatusCode> = {
  code: 13,
  name: 'status-code',
  decode(raw) {
    const view = atLeast(13, raw, 2);
    return { code: view.getUint16(0), message: latin1(raw.subarray(2)) };
  },
  encode: ({ code, message }) => concat([uint16(code), textBytes(message)]),
};
