import { clientInterfaceOption } from '@tinkerbell/bytes';

/** RFC 4578 §2.2. */
export const clientInterface = clientInterfaceOption(94, 'client-interface');
