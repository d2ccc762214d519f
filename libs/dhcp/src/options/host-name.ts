import { textOption } from '@tinkerbell/bytes';

/** RFC 2132 §3.14; not to be qualified when option 15 is there. */
export const hostName = textOption(12, 'host-name');
