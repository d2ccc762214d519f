import { uint32Option } from '@tinkerbell/bytes';

/** T2, seconds (RFC 2132 §9.12). */
export const rebindingTime = uint32Option(59, 'rebinding-time');
