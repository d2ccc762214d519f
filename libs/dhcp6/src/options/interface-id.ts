import { bytesOption } from '../fields';

/** RFC 8415 §21.18: a relay's own name of the interface that it heard the client on; it wants it back. */
export const interfaceId = bytesOption(18, 'interface-id');
