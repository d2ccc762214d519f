import type { SubscriptionEvent } from '@tinkerbell/events';
import { recorded } from '@tinkerbell/testing';
import { expect, it } from 'vitest';
import { subscriptionList, type SubscriptionRow } from './subscription-list.projection';

const from = { position: 1, time: '2026-01-01T00:00:00.000Z' };
const created: SubscriptionEvent = {
  type: 'SubscriptionCreated',
  v: 1,
  data: { filters: [], webhook: { url: 'https://a.example/' }, start: 'now', from },
};
const failed = (eventId: string): SubscriptionEvent => ({
  type: 'DeliveryFailed',
  v: 1,
  data: { eventId, eventType: 'x', attempts: 2, status: null, reason: 'refused' },
});
const fold = (...events: readonly SubscriptionEvent[]) =>
  recorded('subscription', 'ops', events).reduce<SubscriptionRow | undefined>(
    (row, each) => subscriptionList.evolve(row, each),
    undefined,
  );

it('shows a subscription with its dead letters, oldest first', () => {
  const row = fold(created, failed('5-0'), failed('6-0'), {
    type: 'DeadLetterRedelivered',
    v: 1,
    data: { eventId: '5-0' },
  });
  expect(row).toMatchObject({ name: 'ops', status: 'active', incarnation: 1, position: 4, start: 'now' });
  expect(row?.deadLetters).toEqual([
    { eventId: '6-0', eventType: 'x', attempts: 2, status: null, reason: 'refused', at: '2026-01-01T00:00:03.000Z' },
  ]);
});

it('says why it is disabled, until it is enabled', () => {
  const disabled: SubscriptionEvent = { type: 'SubscriptionDisabled', v: 1, data: { reason: 'gone' } };
  expect(fold(created, disabled)).toMatchObject({ status: 'disabled', reason: 'gone' });
  expect(fold(created, disabled, { type: 'SubscriptionEnabled', v: 1, data: {} })).toMatchObject({
    status: 'active',
    reason: '',
  });
});

it('created again after a deletion is another one', () => {
  const deleted: SubscriptionEvent = { type: 'SubscriptionDeleted', v: 1, data: {} };
  expect(fold(created, failed('5-0'), deleted)).toBeUndefined();
  expect(fold(created, failed('5-0'), deleted, created)).toMatchObject({ incarnation: 4, deadLetters: [] });
});
