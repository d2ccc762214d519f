import type { OptionCodec } from '@tinkerbell/bytes';
import { decodeSubOptions, encodeSubOptions, type SubOptions } from '../sub-options';

/**
 * RFC 2132 §8.4, with PXE's sub-options. Its meaning depends on option 60, so read it only for a PXE client.
 * Sub-option 6 (PXE discovery control) = 8 tells firmware to take the boot file of this very reply and ask nobody else.
 */
export const vendorSpecific: OptionCodec<SubOptions> = {
  code: 43,
  name: 'vendor-specific',
  decode: (raw) => decodeSubOptions(43, raw, true),
  encode: (values) => encodeSubOptions(values, true),
};
