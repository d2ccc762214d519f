import { textOption } from '@tinkerbell/bytes';

/** RFC 2132 §9.4. An address as text, in practice. */
export const tftpServerName = textOption(66, 'tftp-server-name');
