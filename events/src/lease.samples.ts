import type { LeaseEvent } from './lease.events';

const client = { mac: '52-54-00-12-34-56', hardwareId: null, clientId: '01525400123456' };
const subnet = 'lab';
const holder = { ...client, ip: '192.168.50.11', subnet, origin: 'pool' } as const;
const pool = { subnet, pool: 'lab/uefi', size: 100 };
const expiresAt = '2026-11-24T19:00:00.000Z';
const quarantinedUntil = '2026-11-25T19:00:00.000Z';

export const leaseSamples: { readonly [T in LeaseEvent['type']]: Extract<LeaseEvent, { readonly type: T }> } = {
  LeaseBound: {
    type: 'LeaseBound',
    v: 2,
    data: { ...holder, hostname: 'machine-1', leaseSeconds: 86400, expiresAt, giaddr: null },
  },
  LeaseRenewed: {
    type: 'LeaseRenewed',
    v: 2,
    data: { ...holder, leaseSeconds: 86400, expiresAt: '2026-11-25T07:00:00.000Z', clientState: 'renewing' },
  },
  LeaseReleased: { type: 'LeaseReleased', v: 2, data: holder },
  LeaseDeclined: { type: 'LeaseDeclined', v: 2, data: { ...holder, message: 'address in use', quarantinedUntil } },
  LeaseRefused: {
    type: 'LeaseRefused',
    v: 2,
    data: { ...client, ip: null, subnet, requested: '192.168.51.99', reason: '192.168.51.99 is not of this network' },
  },
  LeaseExpired: { type: 'LeaseExpired', v: 1, data: { ...holder, expiresAt, cause: 'time' } },
  LeaseEnded: { type: 'LeaseEnded', v: 1, data: { ...holder, was: 'bound', expiresAt } },
  LeaseRelayed: {
    type: 'LeaseRelayed',
    v: 1,
    data: {
      ...{ ip: holder.ip, subnet, giaddr: '192.168.50.1' },
      ...{ circuitId: '47692f302f31322e30', remoteId: '000600112233aabb' },
    },
  },
  LeaseConflictFound: {
    type: 'LeaseConflictFound',
    v: 1,
    data: { ip: '192.168.50.12', subnet, method: 'icmp', answeredBy: '52-54-00-99-99-99', quarantinedUntil },
  },
  QuarantineEnded: {
    type: 'QuarantineEnded',
    v: 1,
    data: { ip: holder.ip, subnet, quarantinedUntil, probed: true },
  },
  PoolDefined: { type: 'PoolDefined', v: 1, data: { ...pool, ranges: ['192.168.50.11-192.168.50.110'] } },
  PoolDropped: { type: 'PoolDropped', v: 1, data: { subnet, pool: pool.pool } },
  PoolUtilisationCrossed: {
    type: 'PoolUtilisationCrossed',
    v: 1,
    data: { ...pool, level: 90, before: 80, used: 90 },
  },
  ServerNamed: { type: 'ServerNamed', v: 1, data: { duid: '0004a3c1f0e2b4d64f5e8a7b9c0d1e2f3a4b' } },
};
