import type { LeaseEvent } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { LeaseRow } from './rows';

export const leaseList: Projection<LeaseEvent, LeaseRow> = {
  name: 'lease-list',
  version: 2,
  aggregates: ['lease'],
  key: ({ aggregate, event }) => (aggregate === 'lease' ? event.data?.mac : undefined),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, at, position } = recorded;
    switch (event.type) {
      case 'LeaseBound': {
        const { mac, hardwareId, ip, hostname, leaseSeconds, expiresAt } = event.data;
        const bound = { mac, hardwareId, ip, hostname, state: 'bound', leaseSeconds, boundAt: at } as const;
        return { ...bound, expiresAt, updatedAt: at, position };
      }
      case 'LeaseRenewed': {
        const { leaseSeconds, expiresAt } = event.data;
        return row && { ...row, state: 'bound', leaseSeconds, expiresAt, updatedAt: at, position };
      }
      case 'LeaseReleased':
        return row && { ...row, state: 'released', updatedAt: at, position };
      case 'LeaseDeclined':
        return row && { ...row, state: 'declined', updatedAt: at, position };
      default:
        // A refusal leaves the lease as it was.
        return row;
    }
  },
  lookups: ({ ip, hardwareId, hostname }) => [
    `ip:${ip}`,
    `hardware:${hardwareId}`,
    ...(hostname === '' ? [] : [`name:${hostname.toLowerCase()}`]),
  ],
};
