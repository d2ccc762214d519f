import type { Event } from '@tinkerbell/events';
import { type Kept, parseEnvelope } from '../envelope';
import { IntegrityError } from '../event-store';

/** SHA-256 (hex) of the body in bucket `tink_data` that an event refers to. */
export function bodyOf({ type, data }: Pick<Event, 'type' | 'data'>): string | undefined {
  if (type !== 'WorkflowDataUpdated') return undefined;
  const { sha256 } = data as { readonly sha256?: unknown };
  return typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? sha256 : undefined;
}

/** Of all events of a commit; none of one that cannot be read. */
export function referredBodies({ stream, position, bytes }: Kept): readonly string[] {
  try {
    const { events } = parseEnvelope(stream, position, bytes);
    return events.flatMap((event) => bodyOf(event as Event) ?? []);
  } catch (error) {
    if (error instanceof IntegrityError) return [];
    throw error;
  }
}
