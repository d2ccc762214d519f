import { formatMac } from '@tinkerbell/domain';
import type { AuditEvent, ClaimEvent, SecretEvent, SubscriptionEvent } from '@tinkerbell/events';
import { bad, because, count, neutral, warn, type Sentences } from './told';

/** What is kept beside machines and workflows. */
export const siteSentences = {
  ClaimTaken: ({ data: { kind, value, owner } }) =>
    neutral(`${claims[kind]} ${kind === 'mac' ? formatMac(value) : value} taken by ${owner}`),
  SecretSet: ({ data }, { id, by }) => neutral(`secret ${id} set ${by}, version ${data.version}`),
  SecretDeleted: (_, { id, by }) => neutral(`secret ${id} deleted ${by}`),
  SubscriptionCreated: ({ data }, { id, by }) =>
    neutral(`subscription ${id} created ${by}: ${filtersText(data.filters)}, ${receiver(data.webhook)}`),
  SubscriptionChanged: ({ data }, { id, by }) =>
    neutral(`subscription ${id} changed ${by}: ${filtersText(data.filters)}, ${receiver(data.webhook)}`),
  SubscriptionDisabled: ({ data }, { id, by }) => warn(`subscription ${id} disabled ${by}${because(data.reason)}`),
  SubscriptionEnabled: (_, { id, by }) => neutral(`subscription ${id} enabled ${by}`),
  SubscriptionDeleted: (_, { id, by }) => neutral(`subscription ${id} deleted ${by}`),
  DeliveryFailed: ({ data: { eventType, eventId, attempts, reason } }, { id }) =>
    bad(`${eventType} ${eventId} not delivered to ${id} in ${count(attempts, 'attempt')}${because(reason)}`),
  DeadLetterRedelivered: ({ data }, { id }) => neutral(`${data.eventId} delivered to ${id} after all`),
  AuditCheckpointed: ({ data }) => neutral(`log signed up to position ${data.position}`),
} as const satisfies Sentences<ClaimEvent | SecretEvent | SubscriptionEvent | AuditEvent>;

const claims = {
  mac: 'MAC address',
  ip: 'IP address',
  'template-name': 'template name',
  machine: 'machine',
} as const;

function filtersText(filters: readonly string[]): string {
  return filters.length === 0 ? 'every event' : filters.join(', ');
}

function receiver(webhook: { readonly url: string } | null): string {
  return webhook === null ? 'fetched by its subscriber' : `sent to ${webhook.url}`;
}
