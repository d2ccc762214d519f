import { textOption } from '@tinkerbell/bytes';

/** For people (RFC 2132 §9.9): why a NAK, why a DECLINE. */
export const message = textOption(56, 'message');
