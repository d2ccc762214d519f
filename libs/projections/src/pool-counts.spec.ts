import type { LeaseEvent } from '@tinkerbell/events';
import { leaseBound, leaseReleased, recorded } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { leaseList } from './lease-list.projection';
import { type LeaseTally, poolCounts } from './pool-counts';
import { rowsOf } from './rows-of.testing';
import type { PoolRow } from './rows';

const day = (number: number) => `2026-01-0${number}T00:00:00.000Z`;
const noon = '2026-01-01T12:00:00.000Z';

function declined(ip: string, quarantinedUntil: string): readonly LeaseEvent[] {
  const bound = leaseBound({ ip });
  const { hostname: _, leaseSeconds: __, expiresAt: ___, giaddr: ____, ...holder } = bound.data;
  return [bound, { type: 'LeaseDeclined', v: 2, data: { ...holder, message: '', quarantinedUntil } }];
}

function conflict(ip: string, quarantinedUntil: string): LeaseEvent {
  const data = { ip, subnet: 'lab', method: 'icmp', answeredBy: null, quarantinedUntil } as const;
  return { type: 'LeaseConflictFound', v: 1, data };
}

function tallyAfter(...events: readonly LeaseEvent[]): LeaseTally {
  const rows = [...rowsOf(leaseList, recorded('lease', 'default', events)).values()];
  const queuesOf = (row: (typeof rows)[number]) => leaseList.queues?.(row) ?? [];
  return {
    tally: (wanted, first, last) =>
      rows.flatMap(queuesOf).filter(({ queue, rank }) => queue === wanted && rank >= first && rank <= last).length,
    list: ({ lookups: [wanted] }) => rows.filter((row) => queuesOf(row).some(({ queue }) => queue === wanted)),
  };
}

function pool(size: number, ...ranges: readonly string[]): PoolRow {
  const names = { id: 'default/lab', leasePool: 'default', pool: 'lab', subnet: 'lab' };
  return { ...names, ranges, size, definedAt: day(1), crossed: null, position: 1 };
}

describe('counts of a pool', () => {
  const leases = tallyAfter(
    ...['10.0.0.249', '10.0.0.250', '10.0.1.7', '10.0.2.37', '10.0.2.38'].map((ip) => leaseBound({ ip })),
    leaseReleased({ ip: '10.0.2.37' }),
    conflict('10.0.1.8', day(2)),
    conflict('10.0.1.9', day(1)),
  );
  const lab = pool(300, '10.0.0.250-10.0.2.37', '10.0.3.1-10.0.3.44');

  it('are of its leases, across blocks of 256, as far as they lie in its ranges', () =>
    expect(poolCounts(lab, leases, noon)).toEqual({ used: 2, quarantined: 1, free: 297, utilisation: 1 }));
  it('have no quarantine that is over', () =>
    expect(poolCounts(lab, leases, day(3))).toMatchObject({ quarantined: 0, free: 298 }));
});

describe('counts of an IPv6 pool', () => {
  const bound = [
    ...['fd99::10', 'fd99::20', 'fd99::30', 'fd99::1:0:0:1', 'fd99::2:0:0:5', 'fd99::2:0:0:6', 'fd99:1::1'],
  ].map((ip) => leaseBound({ ip, subnet: 'lab' }));
  const leases = tallyAfter(
    ...bound,
    ...declined('fd99::11', day(2)),
    leaseBound({ ip: 'fd99::12' }),
    leaseReleased({ ip: 'fd99::12' }),
  );

  it.each([
    [['fd99::10-fd99::1f'], { used: 1, quarantined: 1, free: 14 }],
    [['fd99::20-fd99::21', 'fd99::30/124'], { used: 2, quarantined: 0, free: 14 }],
    [['fd99::10'], { used: 1 }],
    [['fd99::1:0:0:0/80'], { used: 1 }],
    [['fd99::20-fd99::2:0:0:5'], { used: 4, quarantined: 0 }],
    [['fd99::/64'], { used: 6, quarantined: 1 }],
    [['fd00::/8'], { used: 7, quarantined: 1 }],
    [['fd98::/16'], { used: 0, quarantined: 0 }],
  ])('are of its leases in %j, whatever other pools the subnet has', (ranges, counts) =>
    expect(poolCounts(pool(16, ...ranges), leases, noon)).toMatchObject(counts),
  );
  it('have no quarantine that is over', () =>
    expect(poolCounts(pool(16, 'fd99::10/124'), leases, day(3))).toMatchObject({ used: 1, quarantined: 0 }));
});
