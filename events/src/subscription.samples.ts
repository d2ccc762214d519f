import type { SubscriptionEvent } from './subscription.events';

const spec = { filters: ['workflow.*'], webhook: { url: 'https://hooks.example/tink' } } as const;

export const subscriptionSamples = {
  SubscriptionCreated: {
    type: 'SubscriptionCreated',
    v: 1,
    data: { ...spec, start: 'now', from: { position: 42, time: '2026-01-01T00:00:00.000Z' } },
  },
  SubscriptionChanged: { type: 'SubscriptionChanged', v: 1, data: { ...spec, filters: ['workflow.action-failed'] } },
  SubscriptionDisabled: { type: 'SubscriptionDisabled', v: 1, data: { reason: 'the receiver answered 410 Gone' } },
  SubscriptionEnabled: { type: 'SubscriptionEnabled', v: 1, data: {} },
  SubscriptionDeleted: { type: 'SubscriptionDeleted', v: 1, data: {} },
  DeliveryFailed: {
    type: 'DeliveryFailed',
    v: 1,
    data: {
      eventId: '57-0',
      eventType: 'io.tink.workflow.action-failed.v1',
      attempts: 12,
      status: 503,
      reason: 'answered 503',
    },
  },
  DeadLetterRedelivered: { type: 'DeadLetterRedelivered', v: 1, data: { eventId: '57-0' } },
} as const satisfies { readonly [T in SubscriptionEvent['type']]: Extract<SubscriptionEvent, { readonly type: T }> };
