import type { LeaseEvent } from '@tinkerbell/events';
import { hardwareId, leaseBound, leaseReleased, leaseRenewed, machineMac, specify } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { activeLease, decideLeases, leaseDecider, leaseOfIp, type SingleLeaseCommand } from './lease.decider';
import { Shards } from './shards';

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
const decline = { type: 'DeclineLease', ...holder, message: 'in use' } as const;
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
    ['the expiry', [leaseBound()], afterExpiry],
  ] as const)('binds anew after %s', (_what, events, at) =>
    given(...events)
      .when(bind({ now: at }))
      .then(leaseBound({ expiresAt: `2026-01-0${at === later ? '2T12' : '3T00'}:00:00.000Z` })),
  );
  it('binds anew with another address or another record', () => {
    given(leaseBound())
      .when(bind({ ip: '192.168.1.6' }))
      .then(moved, leaseBound({ ip: '192.168.1.6' }));
    given(leaseBound())
      .when(bind({ hardwareId: 'new' }))
      .then(leaseBound({ hardwareId: 'new' }));
  });
  it('keeps an address from others until it is free', () => {
    const taken = bind({ mac: other });
    given(leaseBound())
      .when(taken)
      .thenThrows('CONFLICT', '192.168.1.5 is leased to 08-00-27-00-00-01 until 2026-01-02T00:00:00.000Z');
    given(leaseBound(), leaseReleased())
      .when(taken)
      .then(leaseBound({ mac: other }));
    given(leaseBound())
      .when(bind({ mac: other, now: afterExpiry }))
      .then(leaseBound({ mac: other, expiresAt: '2026-01-03T00:00:00.000Z' }));
    given(leaseBound(), leaseBound({ ip: '192.168.1.6' }))
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
    given(leaseBound({ ip: '192.168.1.6' }))
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
    expect(state.byMac.size).toBe(20_000);
    expect(activeLease(state, 'm19999', now)?.ip).toBe('ip19999');
  });
});

describe('shards', () => {
  it('is a map that keeps its old versions', () => {
    const empty = Shards.empty<number>();
    const one = empty.with('a', 1);
    const two = one.with('a', 2).with('b', 3);
    expect([empty.get('a'), one.get('a'), two.get('a'), two.size, two.without('a').size, two.without('x')]).toEqual([
      undefined,
      1,
      2,
      2,
      1,
      two,
    ]);
    expect([...two.values()].sort()).toEqual([2, 3]);
  });
});
