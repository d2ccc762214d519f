import { uint32Option } from '@tinkerbell/bytes';

/** T1, seconds (RFC 2132 §9.11). */
export const renewalTime = uint32Option(58, 'renewal-time');
