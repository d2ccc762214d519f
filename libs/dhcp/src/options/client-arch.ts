import { uint16ListOption } from '@tinkerbell/bytes';

/** Client system architecture (RFC 4578 §2.1): best first. Decides which boot file we offer. */
export const clientArch = uint16ListOption(93, 'client-arch');
