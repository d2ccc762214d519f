import type { LeaseEvent } from '@tinkerbell/events';
import { leaseBound, leaseEnded, machineMac, recorded } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { leaseList } from './lease-list.projection';
import type { LeaseRow } from './rows';

describe('lease-list', () => {
  it('has an address that an operator gave free in nobody’s hands, and in no quarantine', () => {
    const found = {
      ip: '192.168.1.6',
      subnet: '',
      method: 'icmp',
      answeredBy: null,
      quarantinedUntil: '2026-03-01T00:00:00.000Z',
    } as const;
    const log = recorded<LeaseEvent>('lease', 'default', [
      ...[leaseBound(), leaseEnded()],
      ...[
        { type: 'LeaseConflictFound', v: 1, data: found } as const,
        leaseEnded({ mac: null, ip: found.ip, was: 'conflict' }),
      ],
    ]);
    const rows = new Map<string, LeaseRow>();
    for (const event of log) {
      const key = leaseList.key(event) ?? '';
      const row = leaseList.evolve(rows.get(key), event);
      if (row) rows.set(key, row);
    }
    expect([...rows.values()]).toMatchObject([
      { ip: '192.168.1.5', mac: machineMac, state: 'ended', quarantinedUntil: null, position: 2 },
      { ip: '192.168.1.6', mac: null, state: 'ended', quarantinedUntil: null, position: 4 },
    ]);
    expect([...rows.values()].flatMap((row) => leaseList.queues?.(row) ?? [])).toEqual([]);
  });

  it('has a machine at its address since it got that, also by another name', () => {
    const expiresAt = '2026-03-01T00:00:00.000Z';
    const log = recorded<LeaseEvent>('lease', 'default', [
      ...[leaseBound({ expiresAt }), leaseBound({ expiresAt, hostname: 'node-2' })],
    ]).map((event, i) => ({ ...event, at: `2026-01-0${i + 1}T00:00:00.000Z`, position: i + 1 }));
    const row = log.reduce<LeaseRow | undefined>((before, event) => leaseList.evolve(before, event), undefined);
    expect(row).toMatchObject({ hostname: 'node-2', boundAt: '2026-01-01T00:00:00.000Z', expiresAt });
  });
});
