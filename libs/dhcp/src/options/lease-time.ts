import { uint32Option } from '@tinkerbell/bytes';

/** Seconds (RFC 2132 §9.2); 0xffffffff means for ever. */
export const leaseTime = uint32Option(51, 'lease-time');
