import type { LeaseEvent } from '@tinkerbell/events';
import { hardwareId, leaseBound, leaseRenewed, machineMac, specify } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { leaseDecider, type SingleLeaseCommand } from './lease.decider';

const given = specify(leaseDecider);
const now = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T12:00:00.000Z';
const afterExpiry = '2026-01-02T00:00:00.000Z';
const other = '08-00-27-00-00-02';

describe('a lease from a pool', () => {
  const client = { mac: machineMac, hardwareId: null, clientId: '01aa' };
  const pooled = { ...client, ip: '10.0.0.5', subnet: 'lab', origin: 'pool' as const };
  const bound = leaseBound({ ...pooled, hostname: '' });
  const take = (over: object = {}): SingleLeaseCommand => ({
    ...{ type: 'BindLease', ...pooled, hostname: '', leaseSeconds: 86_400, giaddr: null },
    ...{ clientState: 'selecting', now, ...over },
  });
  const quarantinedUntil = '2026-01-03T00:00:00.000Z';
  const conflict = { ip: '10.0.0.6', subnet: 'lab', method: 'icmp', answeredBy: null, quarantinedUntil } as const;

  it('belongs to what the client calls itself', () => {
    const renewed = { expiresAt: '2026-01-02T12:00:00.000Z', clientState: 'selecting' as const };
    given(bound)
      .when(take({ now: later }))
      .then(leaseRenewed({ ...pooled, ...renewed }));
    given(bound)
      .when(take({ clientId: '01bb' }))
      .thenThrows('CONFLICT', '10.0.0.5 is leased to 08:00:27:00:00:01 until 2026-01-02T00:00:00.000Z');
  });
  it('is bound anew when its client comes by another card, or by another name, and not when it says no name', () => {
    const expiresAt = '2026-01-02T12:00:00.000Z';
    const byOther = leaseBound({ ...bound.data, mac: other, expiresAt });
    given(bound)
      .when(take({ mac: other, now: later }))
      .then(byOther);
    expect(fold(leaseDecider, [bound, byOther]).book.get('10.0.0.5')).toMatchObject({ mac: other });
    const named = leaseBound({ ...bound.data, hostname: 'node1', expiresAt });
    given(bound)
      .when(take({ hostname: 'node1', now: later, clientState: 'renewing' }))
      .then(named);
    given(leaseBound({ ...bound.data, hostname: 'node1' }))
      .when(take({ now: later }))
      .then(leaseRenewed({ ...pooled, expiresAt, clientState: 'selecting' }));
  });
  it('tells where its client is plugged in when that begins anew, not each time that it renews', () => {
    const relayed = { circuitId: '4732', remoteId: null };
    const expiresAt = '2026-01-02T12:00:00.000Z';
    const again = (clientState: 'selecting' | 'init-reboot' | 'renewing' | 'rebinding') =>
      given(bound).when(take({ giaddr: '10.0.0.1', relayed, clientState, now: later }));
    const where: LeaseEvent = {
      ...{ type: 'LeaseRelayed', v: 1 },
      data: { ip: '10.0.0.5', subnet: 'lab', giaddr: '10.0.0.1', ...relayed },
    };
    for (const clientState of ['selecting', 'init-reboot', 'rebinding'] as const) {
      again(clientState).then(leaseRenewed({ ...pooled, expiresAt, clientState }), where);
    }
    again('renewing').then(leaseRenewed({ ...pooled, expiresAt, clientState: 'renewing' }));
  });
  it('is given up for another of the same subnet, not for one elsewhere', () => {
    const left: LeaseEvent = {
      type: 'LeaseExpired',
      v: 1,
      data: { ...pooled, expiresAt: bound.data.expiresAt, cause: 'moved' },
    };
    given(bound)
      .when(take({ ip: '10.0.0.9' }))
      .then(left, leaseBound({ ...bound.data, ip: '10.0.0.9' }));
    given(bound)
      .when(take({ ip: '10.1.0.9', subnet: 'office' }))
      .then(leaseBound({ ...bound.data, ip: '10.1.0.9', subnet: 'office' }));
  });
  it('is given up for the reservation of its card in the same subnet, and the other way round', () => {
    const byRecord = {
      mac: machineMac,
      hardwareId,
      clientId: null,
      ip: '10.0.0.9',
      subnet: 'lab',
      origin: 'reservation' as const,
    };
    const reserved = leaseBound({ ...byRecord, hostname: '' });
    const unnamed = leaseBound({ ...bound.data, clientId: null, ip: '10.0.0.6' });
    const givesUp = ({ data }: typeof bound): LeaseEvent => {
      const { mac, hardwareId: record, clientId, ip, subnet, origin, expiresAt } = data;
      const lease = { mac, hardwareId: record, clientId, ip, subnet, origin };
      return { type: 'LeaseExpired', v: 1, data: { ...lease, expiresAt, cause: 'moved' } };
    };
    given(bound, unnamed)
      .when(take({ ...byRecord, clientId: '01aa' }))
      .then(givesUp(bound), givesUp(unnamed), leaseBound({ ...reserved.data, clientId: '01aa' }));
    given(reserved).when(take()).then(givesUp(reserved), bound);
    const elsewhere = leaseBound({ ...bound.data, subnet: 'office' });
    given(elsewhere).when(take(reserved.data)).then(reserved);
    given(reserved)
      .when(take({ subnet: 'office' }))
      .then(elsewhere);
    const ofOther = leaseBound({ ...bound.data, mac: other });
    given(ofOther)
      .when(take({ ...byRecord, clientId: '01aa' }))
      .then(leaseBound({ ...reserved.data, clientId: '01aa' }));
  });
  it('becomes a reservation of the same machine, and is not taken from it by one of another', () => {
    const record = { origin: 'reservation' as const, hardwareId };
    given(bound)
      .when(take(record))
      .then(leaseBound({ ...bound.data, ...record }));
    given(bound)
      .when(take({ ...record, mac: other }))
      .thenThrows('CONFLICT');
  });
  it('becomes a reservation of the client that calls itself so, where its card is not known', () => {
    const record = { origin: 'reservation' as const, hardwareId };
    const ofNobody = leaseBound({ ...bound.data, mac: null });
    given(ofNobody)
      .when(take(record))
      .then(leaseBound({ ...bound.data, ...record }));
    given(ofNobody)
      .when(take({ ...record, clientId: '01bb' }))
      .thenThrows('CONFLICT');
    given(leaseBound({ ...bound.data, mac: null, clientId: null }))
      .when(take({ ...record, clientId: null }))
      .thenThrows('CONFLICT');
  });
  it('is given to nobody after a decline, until the quarantine is over', () => {
    const data = { ...pooled, message: '', quarantinedUntil };
    const declinedOne: LeaseEvent = { type: 'LeaseDeclined', v: 2, data };
    given(bound)
      .when({ type: 'DeclineLease', ...data })
      .then(declinedOne);
    given(bound, declinedOne)
      .when(take({ now: later }))
      .thenThrows('CONFLICT', 'in quarantine');
    given(bound, declinedOne)
      .when(take({ now: quarantinedUntil }))
      .then(leaseBound({ ...bound.data, expiresAt: '2026-01-04T00:00:00.000Z' }));
  });
  it('is said to have run out once', () => {
    const ranOut: LeaseEvent = {
      type: 'LeaseExpired',
      v: 1,
      data: { ...pooled, expiresAt: bound.data.expiresAt, cause: 'time' },
    };
    const sweep = { type: 'ExpireLeases', ips: ['10.0.0.5', '10.0.0.77'] } as const;
    given(bound)
      .when({ ...sweep, now: later })
      .thenNothing();
    given(bound)
      .when({ ...sweep, now: afterExpiry })
      .then(ranOut);
    given(bound, ranOut)
      .when({ ...sweep, now: afterExpiry })
      .thenNothing();
  });
  it('is not of an address that somebody answers on', () => {
    const found: LeaseEvent = { type: 'LeaseConflictFound', v: 1, data: conflict };
    given()
      .when({ type: 'FindConflict', ...conflict, now })
      .then(found);
    given(found)
      .when(take({ ip: conflict.ip }))
      .thenThrows('CONFLICT', '10.0.0.6 is in quarantine until 2026-01-03T00:00:00.000Z');
    given(leaseBound({ ...bound.data, ip: conflict.ip }))
      .when({ type: 'FindConflict', ...conflict, now: later })
      .thenNothing();
  });
});
