import type { SubscriptionEvent } from '@tinkerbell/events';
import { type Entries, unpublished } from '../entry';

const aboutDelivery = unpublished(
  'about the delivery of events: a subscriber that fails would be told of its failures',
);

export const subscription = {
  SubscriptionCreated: aboutDelivery,
  SubscriptionChanged: aboutDelivery,
  SubscriptionDisabled: aboutDelivery,
  SubscriptionEnabled: aboutDelivery,
  SubscriptionDeleted: aboutDelivery,
  DeliveryFailed: aboutDelivery,
  DeadLetterRedelivered: aboutDelivery,
} satisfies Entries<SubscriptionEvent>;
