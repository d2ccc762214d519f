import { concat, latin1, MalformedOptionError, type OptionCodec, textBytes } from '@tinkerbell/bytes';
import { atLeast, nestedOptions, readPrefixed, writePrefixed } from '../fields';
import type { Options } from '../message';
import { encodeOptions, uint32 } from '../option-list';

/** RFC 8415 §21.15. */
export const userClass: OptionCodec<readonly string[]> = {
  code: 15,
  name: 'user-class',
  decode(raw) {
    const classes = readPrefixed(15, raw, 0).map(latin1);
    if (classes.length === 0) throw new MalformedOptionError({ option: 15, reason: 'empty' });
    return classes;
  },
  encode: (classes) => writePrefixed(15, classes.map(textBytes)),
};

export interface VendorClass {
  readonly enterprise: number;
  readonly classes: readonly string[];
}

/** RFC 8415 §21.16. UEFI says `PXEClient:Arch:…` or `HTTPClient:Arch:…` under Intel's number, 343. */
export const vendorClass: OptionCodec<VendorClass> = {
  code: 16,
  name: 'vendor-class',
  decode(raw) {
    const view = atLeast(16, raw, 4);
    return { enterprise: view.getUint32(0), classes: readPrefixed(16, raw, 4).map(latin1) };
  },
  encode: ({ enterprise, classes }) => concat([uint32(enterprise), writePrefixed(16, classes.map(textBytes))]),
};

export interface VendorOptions {
  readonly enterprise: number;
  readonly options: Options;
}

/** RFC 8415 §21.17. */
export const vendorOptions: OptionCodec<VendorOptions> = {
  code: 17,
  name: 'vendor-options',
  decode(raw) {
    const view = atLeast(17, raw, 4);
    return { enterprise: view.getUint32(0), options: nestedOptions(17, raw, 4) };
  },
  encode: ({ enterprise, options }) => concat([uint32(enterprise), encodeOptions(options)]),
};
