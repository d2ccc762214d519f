import type { SubscriptionEvent } from '@tinkerbell/events';
import { specify } from '@tinkerbell/testing';
import { describe, it } from 'vitest';
import { type SubscriptionCommand, subscriptionDecider } from './subscription.decider';

const given = specify(subscriptionDecider);
const from = { position: 7, time: '2026-01-01T00:00:00.000Z' };
const webhook = { url: 'https://hooks.example/a' };
const spec = { filters: ['workflow.*'], webhook };
type Put = Extract<SubscriptionCommand, { readonly type: 'PutSubscription' }>;
const put = (change: Partial<typeof spec> = {}, start?: string): Put => ({
  type: 'PutSubscription',
  name: 'ops',
  spec: { ...spec, ...change },
  from,
  ...(start === undefined ? {} : { start }),
});
const created: SubscriptionEvent = { type: 'SubscriptionCreated', v: 1, data: { ...spec, start: 'now', from } };
const disabled: SubscriptionEvent = { type: 'SubscriptionDisabled', v: 1, data: { reason: 'gone' } };
const enabled: SubscriptionEvent = { type: 'SubscriptionEnabled', v: 1, data: {} };
const deleted: SubscriptionEvent = { type: 'SubscriptionDeleted', v: 1, data: {} };
const failure = { eventId: '9-0', eventType: 'x', attempts: 3, status: 500, reason: 'answered 500' };
const failed: SubscriptionEvent = { type: 'DeliveryFailed', v: 1, data: failure };
const redelivered: SubscriptionEvent = { type: 'DeadLetterRedelivered', v: 1, data: { eventId: '9-0' } };
const disable = { type: 'DisableSubscription', name: 'ops', reason: 'gone' } as const;
const remove = { type: 'DeleteSubscription', name: 'ops' } as const;

describe('subscription', () => {
  it('begins now unless told otherwise', () => {
    given().when(put()).then(created);
    given()
      .when(put({}, 'first'))
      .then({ type: 'SubscriptionCreated', v: 1, data: { ...spec, start: 'first', from } });
  });
  it('put again as it is: nothing; with other filters: changed', () => {
    given(created).when(put({}, 'now')).thenNothing();
    given(created)
      .when(put({ filters: ['*.*'] }))
      .then({ type: 'SubscriptionChanged', v: 1, data: { filters: ['*.*'], webhook } });
  });
  it('keeps where it began and how it is delivered', () => {
    given(created).when(put({}, 'first')).thenThrows('CONFLICT', 'start is now and stays so');
    given(created)
      .when({ ...put(), spec: { filters: [], webhook: null } })
      .thenThrows('CONFLICT', 'cannot become one without');
  });
  it('is disabled once, and enabled when it is put again', () => {
    given(created).when(disable).then(disabled);
    given(created, disabled).when(disable).thenNothing();
    given(created, disabled).when(put()).then(enabled);
    given(created, disabled, enabled).when(put()).thenNothing();
  });
  it('is deleted once, and may be created again, without its old dead letters', () => {
    given(created).when(remove).then(deleted);
    given(created, deleted).when(remove).thenNothing();
    given(created, deleted).when(put()).then(created);
    given(created, failed, deleted, created).when({ type: 'RecordRedelivery', eventId: '9-0' }).thenNothing();
  });
  it('records a dead letter once and its redelivery once', () => {
    const record = { type: 'RecordDeadLetter', ...failure } as const;
    const redeliver = { type: 'RecordRedelivery', eventId: '9-0' } as const;
    given(created).when(record).then(failed);
    given(created, failed).when(record).thenNothing();
    given(created, failed).when(redeliver).then(redelivered);
    given(created, failed, redelivered).when(redeliver).thenNothing();
    given(created).when(redeliver).thenNothing();
  });
  it('that is not there cannot be disabled or deleted; what was under way is forgotten', () => {
    given().when(remove).thenThrows('NOT_FOUND', 'subscription ops not found');
    given(created, deleted).when(disable).thenThrows('NOT_FOUND');
    given(created, deleted)
      .when({ type: 'RecordDeadLetter', ...failure })
      .thenNothing();
  });
});
