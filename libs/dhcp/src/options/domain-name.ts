import { textOption } from '@tinkerbell/bytes';

/** RFC 2132 §3.17. */
export const domainName = textOption(15, 'domain-name');
