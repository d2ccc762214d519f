import type { LeaseEvent } from '@tinkerbell/events';
import { hardwareId, leaseBound, leaseReleased, leaseRenewed, machineMac, specify } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { formatMac } from '../address/mac';
import { fold } from '../decider';
import { activeLease, decideLeases, leaseDecider, leaseOfIp, type SingleLeaseCommand } from './lease.decider';

const given = specify(leaseDecider);
const now = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T12:00:00.000Z';
const afterExpiry = '2026-01-02T00:00:00.000Z';
const other = '08-00-27-00-00-02';
const client = { mac: machineMac, hardwareId, clientId: null };
const holder = { ...client, ip: '192.168.1.5', subnet: '', origin: 'reservation' as const };
const bind = (over: object = {}): SingleLeaseCommand => ({
  type: 'BindLease',
  ...holder,
  hostname: 'server001',
  leaseSeconds: 86_400,
  giaddr: null,
  clientState: 'selecting',
  now,
  ...over,
});
const release = { type: 'ReleaseLease', ...holder } as const;
const decline = { type: 'DeclineLease', ...holder, message: 'in use', quarantinedUntil: null } as const;
const refuse = {
  type: 'RefuseLease',
  ...client,
  ip: holder.ip,
  subnet: '',
  requested: '10.0.0.9',
  reason: 'not yours',
} as const;
const declined: LeaseEvent = {
  type: 'LeaseDeclined',
  v: 2,
  data: { ...holder, message: 'in use', quarantinedUntil: null },
};
const refused: LeaseEvent = {
  type: 'LeaseRefused',
  v: 2,
  data: { ...client, ip: holder.ip, subnet: '', requested: '10.0.0.9', reason: 'not yours' },
};

const expired: LeaseEvent = {
  type: 'LeaseExpired',
  v: 1,
  data: { ...holder, expiresAt: leaseBound().data.expiresAt, cause: 'time' },
};
const moved: LeaseEvent = {
  type: 'LeaseExpired',
  v: 1,
  data: { ...holder, expiresAt: leaseBound().data.expiresAt, cause: 'moved' },
};

describe('lease pool', () => {
  it('binds the first time, renews after that', () => {
    given().when(bind()).then(leaseBound());
    given(leaseBound())
      .when(bind({ now: later, clientState: 'renewing' }))
      .then(leaseRenewed({ expiresAt: '2026-01-02T12:00:00.000Z' }));
  });
  it('answers the same request in the same instant without a new event', () =>
    given(leaseBound()).when(bind()).thenNothing());
  it.each([
    ['a release', [leaseBound(), leaseReleased()], later],
    ['a decline', [leaseBound(), declined], later],
  ] as const)('binds anew after %s', (_what, events, at) =>
    given(...events)
      .when(bind({ now: at }))
      .then(leaseBound({ expiresAt: '2026-01-02T12:00:00.000Z' })),
  );
  it('says that a lease ran out before it binds anew', () =>
    given(leaseBound())
      .when(bind({ now: afterExpiry }))
      .then(expired, leaseBound({ expiresAt: '2026-01-03T00:00:00.000Z' })));
  it('binds anew with another address or another record', () => {
    given(leaseBound())
      .when(bind({ ip: '192.168.1.6' }))
      .then(moved, leaseBound({ ip: '192.168.1.6' }));
    given(leaseBound())
      .when(bind({ hardwareId: 'new' }))
      .then(leaseBound({ hardwareId: 'new' }));
  });
  it('is moved from a machine whose record has another address by now, which gave nothing back', () => {
    const move = { type: 'MoveLease', ...holder } as const;
    given(leaseBound())
      .when({ ...move, now: later })
      .then(moved);
    given(leaseBound())
      .when({ ...move, now: afterExpiry })
      .then(expired);
    given(leaseBound())
      .when({ ...move, mac: other, now: later })
      .thenNothing();
  });
  it('keeps an address from others until it is free', () => {
    const taken = bind({ mac: other });
    given(leaseBound())
      .when(taken)
      .thenThrows('CONFLICT', '192.168.1.5 is leased to 08:00:27:00:00:01 until 2026-01-02T00:00:00.000Z');
    given(leaseBound(), leaseReleased())
      .when(taken)
      .then(leaseBound({ mac: other }));
    given(leaseBound())
      .when(bind({ mac: other, now: afterExpiry }))
      .then(expired, leaseBound({ mac: other, expiresAt: '2026-01-03T00:00:00.000Z' }));
    given(leaseBound(), moved, leaseBound({ ip: '192.168.1.6' }))
      .when(taken)
      .then(leaseBound({ mac: other }));
  });
  it('releases and declines what is held, once', () => {
    given(leaseBound()).when(release).then(leaseReleased());
    given(leaseBound()).when(decline).then(declined);
    given().when(release).thenNothing();
    given().when(decline).thenNothing();
    given(leaseBound(), leaseReleased()).when(release).thenNothing();
    given(leaseBound(), declined).when(decline).thenNothing();
    given(leaseBound({ mac: other }))
      .when(release)
      .thenNothing();
  });
  it('records every refusal and changes nothing by it', () => {
    given().when(refuse).then(refused);
    given(leaseBound(), refused).when(bind()).thenNothing();
  });
  it.each([0, -1, 1.5, 4294967296])('refuses a lease of %s s', (leaseSeconds) =>
    given().when(bind({ leaseSeconds })).thenThrows('INVALID', 'leaseSeconds must be 1 to 4294967295'),
  );
  it('can be infinite', () =>
    given()
      .when(bind({ leaseSeconds: 4294967295 }))
      .then(leaseBound({ leaseSeconds: 4294967295, expiresAt: '2162-02-07T06:28:15.000Z' })));
  it('is for good for a BOOTP client, bound once however often that asks, and by DHCP what it is there', () => {
    const [bootp, forever] = [bind({ leaseSeconds: 4294967295, clientState: 'bootp', now: later }), 4294967295];
    const bound = leaseBound({ leaseSeconds: forever, expiresAt: '2162-02-07T18:28:15.000Z' });
    given().when(bootp).then(bound);
    given(bound)
      .when(bind({ leaseSeconds: forever, clientState: 'bootp', now: '2060-01-01T00:00:00.000Z' }))
      .thenNothing();
    given(leaseBound()).when(bootp).then(bound);
    given(bound)
      .when(bind({ now: '2026-01-03T00:00:00.000Z' }))
      .then(leaseRenewed({ expiresAt: '2026-01-04T00:00:00.000Z', clientState: 'selecting' }));
    given(bound)
      .when(bind({ hardwareId: 'another', mac: other }))
      .thenThrows('CONFLICT');
  });
  it('says who has what', () => {
    const state = fold(leaseDecider, [leaseBound()]);
    expect(activeLease(state, machineMac, later)).toMatchObject({ ip: '192.168.1.5', hostname: 'server001' });
    expect(leaseOfIp(state, '192.168.1.5', later)?.mac).toBe(machineMac);
    expect(activeLease(state, machineMac, afterExpiry)).toBeUndefined();
    expect(leaseOfIp(state, '192.168.1.6', later)).toBeUndefined();
  });
});

describe('group commit', () => {
  it('judges each command after the ones before it, and by itself', () => {
    const { events, outcomes, state } = decideLeases(
      [bind(), bind({ mac: other }), release, bind({ mac: other })],
      leaseDecider.initial,
    );
    expect(events).toEqual([leaseBound(), leaseReleased(), leaseBound({ mac: other })]);
    expect(outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : outcome.events.length))).toEqual([
      1,
      'CONFLICT',
      1,
      1,
    ]);
    expect(leaseOfIp(state, '192.168.1.5', now)?.mac).toBe(other);
    expect(fold(leaseDecider, events)).toEqual(state);
  });
  it('as one command is all or nothing', () => {
    given()
      .when({ type: 'LeaseBatch', commands: [bind(), release] })
      .then(leaseBound(), leaseReleased());
    given()
      .when({ type: 'LeaseBatch', commands: [bind(), bind({ mac: other })] })
      .thenThrows('CONFLICT');
  });
  it('folds twenty thousand leases without copying them all each time', () => {
    const events = Array.from({ length: 20_000 }, (_, i) => leaseBound({ mac: `m${i}`, ip: `ip${i}` }));
    const state = fold(leaseDecider, events);
    expect(state.book.size).toBe(20_000);
    expect(activeLease(state, 'm19999', now)?.ip).toBe('ip19999');
  });
});

describe('a pool', () => {
  const pool = { subnet: 'lab', pool: 'lab', size: 100 };
  const defined = { ...pool, ranges: ['10.0.0.1-10.0.0.100'] };
  const crossed = (level: 0 | 80 | 90 | 100, before: 0 | 80 | 90 | 100, used: number): LeaseEvent => ({
    type: 'PoolUtilisationCrossed',
    v: 1,
    data: { ...pool, level, before, used },
  });
  const count = (used: number) => ({ type: 'CountPool', ...pool, used }) as const;

  it('is told of when it is new or another', () => {
    const event: LeaseEvent = { type: 'PoolDefined', v: 1, data: defined };
    given()
      .when({ type: 'DefinePool', ...defined })
      .then(event);
    given(event)
      .when({ type: 'DefinePool', ...defined })
      .thenNothing();
  });
  it('is told of when the settings do not name it any more', () => {
    const event: LeaseEvent = { type: 'PoolDefined', v: 1, data: defined };
    const dropped: LeaseEvent = { type: 'PoolDropped', v: 1, data: { subnet: 'lab', pool: 'lab' } };
    given(event)
      .when({ type: 'KeepPools', pools: ['lab'] })
      .thenNothing();
    given(event)
      .when({ type: 'KeepPools', pools: ['other'] })
      .then(dropped);
    given(event, dropped).when({ type: 'KeepPools', pools: [] }).thenNothing();
    given(event, dropped)
      .when({ type: 'DefinePool', ...defined })
      .then(event);
  });
  it('is told of when it gets full, and when there is room again', () => {
    given().when(count(79)).thenNothing();
    given()
      .when(count(80))
      .then(crossed(80, 0, 80));
    given(crossed(80, 0, 80))
      .when(count(85))
      .thenNothing();
    given(crossed(80, 0, 80))
      .when(count(100))
      .then(crossed(100, 80, 100));
    given(crossed(100, 80, 100))
      .when(count(99))
      .thenNothing();
    given(crossed(100, 80, 100))
      .when(count(97))
      .then(crossed(90, 100, 97));
    given(crossed(80, 0, 80))
      .when(count(79))
      .thenNothing();
    given(crossed(80, 0, 80))
      .when(count(10))
      .then(crossed(0, 80, 10));
  });
});

describe('a lease of another server', () => {
  const holder = { ...client, clientId: '01', ip: '10.1.0.5', subnet: 'lab', origin: 'pool' as const };
  const expiresAt = '2026-01-01T01:00:00.000Z';
  const take = (over: object = {}): SingleLeaseCommand => ({
    ...{ type: 'ImportLease', ...holder, hostname: 'n1', expiresAt, now, ...over },
  });
  const bound = (over: object = {}): LeaseEvent => ({
    ...{ type: 'LeaseBound', v: 2 },
    data: { ...holder, hostname: 'n1', leaseSeconds: 3600, expiresAt, giaddr: null, ...over },
  });
  const renew = { clientState: 'renewing', leaseSeconds: 7200 } as const;
  const own = { type: 'BindLease', ...holder, hostname: 'n1', giaddr: null, now, ...renew } as const;
  const later = '2026-01-01T02:00:00.000Z';

  it('is bound until it ends there, and then its client renews it', () => {
    given().when(take()).then(bound());
    given(bound())
      .when(own)
      .then({ type: 'LeaseRenewed', v: 2, data: { ...holder, ...renew, expiresAt: later } });
  });
  it('changes nothing the second time, and is extended when it was renewed there, never made shorter', () => {
    given(bound()).when(take()).thenNothing();
    given(bound())
      .when(take({ now: '2026-01-01T00:30:00.000Z' }))
      .thenNothing();
    given(bound())
      .when(take({ expiresAt: later }))
      .then({ type: 'LeaseRenewed', v: 2, data: { ...holder, ...renew, expiresAt: later } });
    given(bound({ leaseSeconds: 7200, expiresAt: later }))
      .when(take())
      .thenNothing();
  });
  it('that never ends is bound for good, once', () => {
    const forever = { leaseSeconds: 4_294_967_295, expiresAt: '2162-02-07T06:28:15.000Z' };
    given()
      .when(take({ expiresAt: forever.expiresAt }))
      .then(bound(forever));
    given(bound(forever))
      .when(take({ expiresAt: '2162-02-08T06:28:15.000Z', now: later }))
      .thenNothing();
  });
  it('gives way to whoever has the address here, and to what its client has here', () => {
    const others = { mac: other, clientId: '02' };
    given(bound(others))
      .when(take())
      .thenThrows('CONFLICT', `10.1.0.5 is leased to ${formatMac(other)} until ${expiresAt}`);
    given(bound({ ip: '10.1.0.6' }))
      .when(take())
      .thenThrows('CONFLICT', 'its client has 10.1.0.6 here');
    const found = { ip: '10.1.0.5', subnet: 'lab', method: 'arp', answeredBy: null, quarantinedUntil: later } as const;
    given({ type: 'LeaseConflictFound', v: 1, data: found })
      .when(take())
      .thenThrows('CONFLICT', `10.1.0.5 is in quarantine until ${later}`);
  });
  it('says what ran out before', () => {
    const ranOut = (ip: string): LeaseEvent => ({
      ...{ type: 'LeaseExpired', v: 1, data: { ...holder, ip, expiresAt, cause: 'time' } },
    });
    const again = take({ now: expiresAt, expiresAt: later });
    given(bound())
      .when(again)
      .then(ranOut('10.1.0.5'), bound({ expiresAt: later }));
    given(bound({ ip: '10.1.0.6' }))
      .when(again)
      .then(ranOut('10.1.0.6'), bound({ expiresAt: later }));
  });
  it('is refused when it is over', () =>
    given()
      .when(take({ expiresAt: now }))
      .thenThrows('INVALID', `the lease of 10.1.0.5 ran out at ${now}`));
});
