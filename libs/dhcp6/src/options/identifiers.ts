import type { OptionCodec } from '@tinkerbell/bytes';
import { parseDuid } from '../duid';

/** RFC 8415 §21.2, §21.3: a DUID, kept as bytes, because two are the same only when all bytes are (§11). */
function duidOption(code: number, name: string): OptionCodec<Uint8Array> {
  return {
    code,
    name,
    decode(raw) {
      parseDuid(raw, code);
      return raw;
    },
    encode: (duid) => duid,
  };
}

export const clientId = duidOption(1, 'client-id');
export const serverId = duidOption(2, 'server-id');
