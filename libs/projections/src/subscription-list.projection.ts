import type { DeliveryFailed, SubscriptionCreated, SubscriptionEvent, SubscriptionSpec } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';

export type DeadLetterRow = DeliveryFailed['data'] & {
  /** When it was given up, ISO 8601. */
  readonly at: string;
};

/** Key: its name. */
export interface SubscriptionRow extends SubscriptionSpec {
  readonly name: string;
  readonly status: 'active' | 'disabled';
  /** Why it is disabled; '' while it is not. */
  readonly reason: string;
  readonly start: string;
  readonly from: SubscriptionCreated['data']['from'];
  /** Position of its creation: tells it from one of the same name that was deleted. */
  readonly incarnation: number;
  /** Oldest first. */
  readonly deadLetters: readonly DeadLetterRow[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly position: number;
}

export const subscriptionList: Projection<SubscriptionEvent, SubscriptionRow> = {
  name: 'subscription-list',
  version: 1,
  aggregates: ['subscription'],
  key: ({ aggregate, aggregateId }) => (aggregate === 'subscription' ? aggregateId : undefined),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, aggregateId, at, position } = recorded;
    if (event.type === 'SubscriptionCreated') {
      return {
        ...{ name: aggregateId, status: 'active', reason: '', ...event.data, incarnation: position, deadLetters: [] },
        ...{ createdAt: at, updatedAt: at, position },
      };
    }
    if (!row) return undefined;
    const touched = { ...row, updatedAt: at, position };
    switch (event.type) {
      case 'SubscriptionChanged':
        return { ...touched, ...event.data };
      case 'SubscriptionDisabled':
        return { ...touched, status: 'disabled', reason: event.data.reason };
      case 'SubscriptionEnabled':
        return { ...touched, status: 'active', reason: '' };
      case 'SubscriptionDeleted':
        return undefined;
      case 'DeliveryFailed':
        return { ...touched, deadLetters: [...without(row, event.data.eventId), { ...event.data, at }] };
      case 'DeadLetterRedelivered':
        return { ...touched, deadLetters: without(row, event.data.eventId) };
      default:
        return row;
    }
  },
};

function without({ deadLetters }: SubscriptionRow, eventId: string): readonly DeadLetterRow[] {
  return deadLetters.filter((letter) => letter.eventId !== eventId);
}
