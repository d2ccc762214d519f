import { numberOf } from '@tinkerbell/domain';
import type { LeaseEvent } from '@tinkerbell/events';
import { isStale, type Projection, type QueueEntry } from './projection';
import type { LeaseRow } from './rows';

/** One row an address: who has it, or had it last. */
export const leaseList: Projection<LeaseEvent, LeaseRow> = {
  name: 'lease-list',
  version: 7,
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
        const { giaddr: _, mac, ...bound } = event.data;
        return { mac, ...bound, state: 'bound', boundAt: at, quarantinedUntil: null, updatedAt: at, position };
      }
      case 'LeaseRenewed': {
        const { leaseSeconds, expiresAt } = event.data;
        return row && { ...row, state: 'bound', leaseSeconds, expiresAt, updatedAt: at, position };
      }
      case 'LeaseReleased':
        return row && { ...row, state: 'released', updatedAt: at, position };
      case 'LeaseExpired':
      case 'QuarantineEnded':
        return row && { ...row, state: 'expired', updatedAt: at, position };
      case 'LeaseEnded':
        return row && { ...row, state: 'ended', quarantinedUntil: null, updatedAt: at, position };
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
  lookups: ({ ip, mac, hardwareId, hostname, clientId, state }) => [
    `ip:${ip}`,
    ...(mac === null ? [] : [`mac:${mac}`]),
    ...(hardwareId === null ? [] : [`hardware:${hardwareId}`]),
    ...(hostname === '' ? [] : [`name:${hostname.toLowerCase()}`]),
    ...(clientId === null ? [] : [`client:${clientId}`]),
    ...(hardwareId === null && state === 'bound' ? ['stranger'] : []),
  ],
  queues: (row) => {
    const { state } = row;
    const queue =
      state === 'bound' ? 'leased' : state === 'declined' || state === 'conflict' ? 'quarantined' : undefined;
    return queue === undefined ? [] : placeOf(queue, row);
  },
};

/** 256 addresses share a queue, so that those of a range are counted without looking at all there are. */
function placeOf(
  queue: 'leased' | 'quarantined',
  { ip, subnet, origin }: Pick<LeaseRow, 'ip' | 'subnet' | 'origin'>,
): readonly QueueEntry[] {
  if (ip.includes(':')) return origin === 'pool' ? [{ queue: subnetQueue(queue, subnet), rank: 0 }] : [];
  const rank = numberOf(ip);
  return [{ queue: addressQueue(queue, rank), rank }];
}

/** Where the leases of an IPv4 address, as a number, and of those beside it stand, ranked by address. */
export function addressQueue(queue: 'leased' | 'quarantined', address: number): string {
  return `${queue}:${Math.floor(address / 256)}`;
}

/** Where those stand that come from the range of an IPv6 subnet: it has one, and no 256 of its addresses are beside each other. */
export function subnetQueue(queue: 'leased' | 'quarantined', subnet: string): string {
  return `${queue}6:${subnet}`;
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
