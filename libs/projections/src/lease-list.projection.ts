import { numberOf } from '@tinkerbell/domain';
import type { LeaseEvent } from '@tinkerbell/events';
import { isStale, type Projection, type QueueEntry } from './projection';
import type { LeaseRow } from './rows';

/** One row an address: who has it, or had it last. */
export const leaseList: Projection<LeaseEvent, LeaseRow> = {
  name: 'lease-list',
  version: 4,
  aggregates: ['lease'],
  // A refusal leaves every lease as it was.
  key: ({ aggregate, event }) =>
    aggregate === 'lease' && event.type !== 'LeaseRefused' && event.data && 'ip' in event.data
      ? event.data.ip
      : undefined,
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, at, position } = recorded;
    switch (event.type) {
      case 'LeaseBound': {
        const { giaddr: _, ...bound } = event.data;
        return { ...bound, state: 'bound', boundAt: at, quarantinedUntil: null, updatedAt: at, position };
      }
      case 'LeaseRenewed': {
        const { leaseSeconds, expiresAt } = event.data;
        return row && { ...row, state: 'bound', leaseSeconds, expiresAt, updatedAt: at, position };
      }
      case 'LeaseReleased':
        return row && { ...row, state: 'released', updatedAt: at, position };
      case 'LeaseExpired':
        return row && { ...row, state: 'expired', updatedAt: at, position };
      case 'LeaseDeclined': {
        const { quarantinedUntil } = event.data;
        return row && { ...row, state: 'declined', quarantinedUntil, updatedAt: at, position };
      }
      case 'LeaseConflictFound': {
        const { ip, subnet, quarantinedUntil } = event.data;
        return { ...(row ?? neverLeased), ip, subnet, state: 'conflict', quarantinedUntil, updatedAt: at, position };
      }
      default:
        return row;
    }
  },
  lookups: ({ ip, mac, hardwareId, hostname, clientId }) => [
    `ip:${ip}`,
    ...(mac === null ? [] : [`mac:${mac}`]),
    ...(hardwareId === null ? [] : [`hardware:${hardwareId}`]),
    ...(hostname === '' ? [] : [`name:${hostname.toLowerCase()}`]),
    ...(clientId === null ? [] : [`client:${clientId}`]),
  ],
  queues: ({ ip, state }) => {
    const queue =
      state === 'bound' ? 'leased' : state === 'declined' || state === 'conflict' ? 'quarantined' : undefined;
    return queue === undefined ? [] : placeOf(queue, ip);
  },
};

/** 256 addresses share a queue, so that those of a range are counted without looking at all there are. */
function placeOf(queue: 'leased' | 'quarantined', ip: string): readonly QueueEntry[] {
  const rank = numberOf(ip);
  return Number.isNaN(rank) ? [] : [{ queue: addressQueue(queue, rank), rank }];
}

/** Where the leases of an IPv4 address, as a number, and of those beside it stand, ranked by address. */
export function addressQueue(queue: 'leased' | 'quarantined', address: number): string {
  return `${queue}:${Math.floor(address / 256)}`;
}

const neverLeased = {
  mac: null,
  hardwareId: null,
  clientId: null,
  hostname: '',
  origin: 'pool',
  leaseSeconds: 0,
  boundAt: null,
  expiresAt: null,
} as const;
