import type { SubscriptionRow } from '@tinkerbell/projections';
import type { CloudEvent } from '@tinkerbell/public-events';

/** Whether an event is at or after where the subscription begins. Its consumer may begin a little earlier. */
export function isWanted({ sequence, time }: CloudEvent, from: SubscriptionRow['from']): boolean {
  return Number(sequence) >= from.position && Date.parse(time) >= Date.parse(from.time);
}
