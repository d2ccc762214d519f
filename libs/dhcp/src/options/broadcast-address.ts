import { ipv4Option } from '../fields';

/** RFC 2132 §5.3. */
export const broadcastAddress = ipv4Option(28, 'broadcast-address');
