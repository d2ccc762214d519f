import { expectLength, type OptionCodec } from '@tinkerbell/bytes';
import { bytesOption } from '../fields';
import { uint16 } from '../option-list';

/** RFC 8415 §21.10: the whole message that is relayed. */
export const relayMessage = bytesOption(9, 'relay-message');

/** RFC 8357 §4.2: the relay sends from another port than 547, and takes answers there. The value: the same of the relay before, 0 for none. */
export const relaySourcePort: OptionCodec<number> = {
  code: 135,
  name: 'relay-source-port',
  decode(raw) {
    expectLength(135, raw, 2);
    return new DataView(raw.buffer, raw.byteOffset, 2).getUint16(0);
  },
  encode: uint16,
};
