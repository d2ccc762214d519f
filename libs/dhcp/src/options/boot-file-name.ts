import { textOption } from '@tinkerbell/bytes';

/** RFC 2132 §9.5. Takes what does not fit the `file` field, whole URLs too. */
export const bootFileName = textOption(67, 'boot-file-name');
