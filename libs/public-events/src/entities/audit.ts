import type { AuditEvent } from '@tinkerbell/events';
import { type Entries, unpublished } from '../entry';

export const audit = {
  AuditCheckpointed: unpublished('about the log itself, not about machines'),
} satisfies Entries<AuditEvent>;
