import { MalformedOptionError } from '../errors';
import type { OptionCodec } from '../option-codec';

/** Client system architecture (RFC 4578 §2.1): one or more uint16, best first. Decides which boot file we offer. */
export const clientArch: OptionCodec<readonly number[]> = {
  code: 93,
  name: 'client-arch',
  decode(raw) {
    if (raw.length === 0 || raw.length % 2 !== 0) {
      throw new MalformedOptionError({ option: 93, reason: `length ${raw.length} is not a positive multiple of 2` });
    }
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    return Array.from({ length: raw.length / 2 }, (_, i) => view.getUint16(i * 2));
  },
  encode(archs) {
    const raw = new Uint8Array(archs.length * 2);
    const view = new DataView(raw.buffer);
    archs.forEach((arch, i) => view.setUint16(i * 2, arch));
    return raw;
  },
};
