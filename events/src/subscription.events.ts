import type { Catalogue, Event } from './event';

/** Who is told of which public events. One stream per subscription, id = its name. */
export interface SubscriptionSpec {
  /** `entity.event` or `entity.event.id` with `*` as wildcard, e.g. `workflow.action-*`; empty = every public event. */
  readonly filters: readonly string[];
  /** Where events are sent to; null: the subscriber fetches them. The secret that signs them is not in the log. */
  readonly webhook: { readonly url: string } | null;
}

/**
 * Opens the stream, or opens it again after a deletion. `start` as it was given: `now`, `first`, a position or a time; `from` what it
 * meant: events at or after both.
 */
export type SubscriptionCreated = Event<
  'SubscriptionCreated',
  1,
  SubscriptionSpec & { start: string; from: { readonly position: number; readonly time: string } }
>;
export type SubscriptionChanged = Event<'SubscriptionChanged', 1, SubscriptionSpec>;
/** Nothing is delivered until it is enabled again; its position stays. */
export type SubscriptionDisabled = Event<'SubscriptionDisabled', 1, { reason: string }>;
export type SubscriptionEnabled = Event<'SubscriptionEnabled', 1, Record<string, never>>;
export type SubscriptionDeleted = Event<'SubscriptionDeleted', 1, Record<string, never>>;
/** A dead letter: the webhook did not take this event (`<position>-<index>`) and the next one went out. */
export type DeliveryFailed = Event<
  'DeliveryFailed',
  1,
  { eventId: string; eventType: string; attempts: number; status: number | null; reason: string }
>;
export type DeadLetterRedelivered = Event<'DeadLetterRedelivered', 1, { eventId: string }>;

export type SubscriptionEvent =
  | SubscriptionCreated
  | SubscriptionChanged
  | SubscriptionDisabled
  | SubscriptionEnabled
  | SubscriptionDeleted
  | DeliveryFailed
  | DeadLetterRedelivered;

export const subscriptionCatalogue = {
  SubscriptionCreated: { version: 1 },
  SubscriptionChanged: { version: 1 },
  SubscriptionDisabled: { version: 1 },
  SubscriptionEnabled: { version: 1 },
  SubscriptionDeleted: { version: 1 },
  DeliveryFailed: { version: 1 },
  DeadLetterRedelivered: { version: 1 },
} satisfies Catalogue<SubscriptionEvent>;
