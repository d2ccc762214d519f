import type { SecretEvent } from '@tinkerbell/events';
import { type Entries, unpublished } from '../entry';

const ofOperators = unpublished('which secrets there are is for operators');

export const secret = { SecretSet: ofOperators, SecretDeleted: ofOperators } satisfies Entries<SecretEvent>;
