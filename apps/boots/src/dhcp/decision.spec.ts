import { failedText } from '@tinkerbell/history';
import { expect, it } from 'vitest';
import type { Ignore6Reason } from '../dhcp6/decision6';
import type { IgnoreReason } from './decision';

const reasons = {
  'not-a-request': true,
  'no-message-type': true,
  'message-type': true,
  'not-ethernet': true,
  'unknown-machine': true,
  'no-reserved-address': true,
  'address-in-use': true,
  'no-free-address': true,
  'declined-too-often': true,
  'unknown-lease': true,
  'other-server': true,
  'other-network': true,
  mode: true,
  'not-for-proxy': true,
  'no-boot-client': true,
  'no-boot-file': true,
  'no-requested-address': true,
  'other-address': true,
  'no-client-id': true,
  'server-id': true,
  unicast: true,
  association: true,
  associations: true,
  'no-address': true,
} satisfies Readonly<Record<IgnoreReason | Ignore6Reason, true>>;

it.each(Object.keys(reasons))('%s is told in words', (reason) => {
  const data = { protocol: 'dhcp', reason, detail: '', mac: '02-00-00-00-00-01', hardwareId: null } as const;
  const seen = { source: '0.0.0.0', count: 1, firstAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T00:00:00.000Z' };
  expect(failedText({ ...data, ...seen })).toMatch(/^DHCP: .+ .+/);
});
