import type { AuditEvent, ClaimEvent, SecretEvent, SubscriptionEvent } from '@tinkerbell/events';
import { bad, because, count, fine, type Tales } from './tales';

/** What is kept beside machines and workflows. */
export const siteTales = {
  ClaimTaken: ({ data }) => fine(`${claims[data.kind]} ${data.value} taken by ${data.owner}`),
  SecretSet: ({ data }, _, name) => fine(`secret ${name} set, version ${data.version}`),
  SecretDeleted: (_event, _, name) => fine(`secret ${name} deleted`),
  SubscriptionCreated: ({ data }, _, name) =>
    fine(`subscription ${name} created: ${filtersText(data.filters)}, ${receiver(data.webhook)}`),
  SubscriptionChanged: ({ data }, _, name) =>
    fine(`subscription ${name} changed: ${filtersText(data.filters)}, ${receiver(data.webhook)}`),
  SubscriptionDisabled: ({ data }, _, name) => bad(`subscription ${name} disabled${because(data.reason)}`),
  SubscriptionEnabled: (_event, _, name) => fine(`subscription ${name} enabled`),
  SubscriptionDeleted: (_event, _, name) => fine(`subscription ${name} deleted`),
  DeliveryFailed: ({ data: { eventType, eventId, attempts, reason } }, _, name) =>
    bad(`${eventType} ${eventId} not delivered to ${name} in ${count(attempts, 'attempt')}${because(reason)}`),
  DeadLetterRedelivered: ({ data }, _, name) => fine(`${data.eventId} delivered to ${name} after all`),
  AuditCheckpointed: ({ data }) => fine(`log signed up to position ${data.position}`),
} as const satisfies Tales<ClaimEvent | SecretEvent | SubscriptionEvent | AuditEvent>;

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
