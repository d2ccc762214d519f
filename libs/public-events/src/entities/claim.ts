import type { ClaimEvent } from '@tinkerbell/events';
import { type Entries, unpublished } from '../entry';

export const claim = {
  ClaimTaken: unpublished('how uniqueness is kept; the hardware or template itself is public'),
} satisfies Entries<ClaimEvent>;
