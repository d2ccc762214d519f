import type { OptionCodec } from '@tinkerbell/bytes';

/** Codes of the options that the client wants (RFC 2132 §9.8), best first. OVMF's HTTP boot lists a pad (0) among them: kept. */
export const parameterRequestList: OptionCodec<readonly number[]> = {
  code: 55,
  name: 'parameter-request-list',
  decode: (raw) => [...raw],
  encode: (codes) => Uint8Array.from(codes),
};
