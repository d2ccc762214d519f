import { bytesOption } from '../fields';

/** RFC 8415 §21.10: the whole message that is relayed. */
export const relayMessage = bytesOption(9, 'relay-message');
