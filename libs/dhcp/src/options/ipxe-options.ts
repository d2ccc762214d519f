import type { OptionCodec } from '@tinkerbell/bytes';
import { decodeSubOptions, encodeSubOptions, type SubOptions } from '../sub-options';

/**
 * iPXE's encapsulated options. A request with it comes from iPXE, whatever its user class says; it lists features and, in
 * sub-option 235, the version. In a reply sub-option 176 (no-pxedhcp) = 1 spares the three seconds of waiting for a proxy.
 */
export const ipxeOptions: OptionCodec<SubOptions> = {
  code: 175,
  name: 'ipxe-options',
  decode: (raw) => decodeSubOptions(175, raw, true),
  encode: (values) => encodeSubOptions(values, true),
};
