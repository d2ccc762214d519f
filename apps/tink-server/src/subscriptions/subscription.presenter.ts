import type { SubscriptionRow } from '@tinkerbell/projections';

/** A subscription with the number of its dead letters; they have a list of their own. */
export function subscriptionSummary({ deadLetters, incarnation: _, ...row }: SubscriptionRow): unknown {
  return { ...row, deadLetters: deadLetters.length };
}
