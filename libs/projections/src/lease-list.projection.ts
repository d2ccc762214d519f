import type { LeaseEvent, LeaseHolder } from '@tinkerbell/events';
import { placesOf } from './address-queues';
import { isStale, type Projection } from './projection';
import type { LeaseRow } from './rows';

/** One row an address: who has it, or had it last. */
export const leaseList: Projection<LeaseEvent, LeaseRow> = {
  name: 'lease-list',
  version: 9,
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
        const boundAt = isHeldBy(row, event.data, at) ? row.boundAt : at;
        return { mac, ...bound, state: 'bound', boundAt, quarantinedUntil: null, updatedAt: at, position };
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
  queues: ({ ip, state }) => {
    if (state === 'bound') return placesOf('leased', ip);
    return state === 'declined' || state === 'conflict' ? placesOf('quarantined', ip) : [];
  },
};

/** By another name, or for longer. */
function isHeldBy(row: LeaseRow | undefined, by: LeaseHolder, at: string): row is LeaseRow {
  if (row?.state !== 'bound' || (row.expiresAt ?? '') <= at) return false;
  return row.mac === by.mac && row.hardwareId === by.hardwareId && row.origin === by.origin;
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
