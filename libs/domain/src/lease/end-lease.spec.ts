import { decodeEvent, type LeaseEvent } from '@tinkerbell/events';
import { leaseBound, leaseReleased, leaseRenewed, specify } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { AddressPools } from './address-pools';
import { numberOf } from './ipv4';
import { isFree, lastLease, clientKey, leaseDecider, leaseOfIp, type SingleLeaseCommand } from './lease.decider';
import { type Holder6, isFree6, addressesOf, type Lease6Command, lease6Decider } from './lease6.decider';

const now = '2026-01-01T00:00:00.000Z';
const expiresAt = '2026-01-02T00:00:00.000Z';
const [mac, other] = ['02-00-00-00-00-01', '02-00-00-00-00-02'];
const holder = { mac, hardwareId: null, clientId: '0101', ip: '10.0.0.5', subnet: 'lab', origin: 'pool' as const };
const bound = leaseBound({ ...holder, hostname: '', expiresAt });
const declined: LeaseEvent = {
  ...{ type: 'LeaseDeclined', v: 2 },
  data: { ...holder, message: '', quarantinedUntil: expiresAt },
};
const conflict: LeaseEvent = {
  type: 'LeaseConflictFound',
  v: 1,
  data: { ip: holder.ip, subnet: 'lab', method: 'icmp', answeredBy: null, quarantinedUntil: expiresAt },
};
const ended = (was: 'bound' | 'declined' | 'conflict', over: object = {}): LeaseEvent => ({
  ...{ type: 'LeaseEnded', v: 1, data: { ...holder, was, expiresAt, ...over } },
});
const nobody = { mac: null, clientId: null };

describe('a lease that is ended', () => {
  const given = specify(leaseDecider);
  const end = (over: object = {}): SingleLeaseCommand => ({
    ...{ type: 'EndLease', ip: holder.ip, seen: undefined, now, ...over },
  });
  const take = (over: object = {}): SingleLeaseCommand => ({
    ...{ type: 'BindLease', ...holder, hostname: '', leaseSeconds: 86_400, giaddr: null },
    ...{ clientState: 'selecting', now, ...over },
  });

  it('is told with whose it was, and may be anybody’s at once', () => {
    given(bound).when(end()).then(ended('bound'));
    const theirs = { mac: other, clientId: '0102' };
    given(bound, ended('bound'))
      .when(take(theirs))
      .then(leaseBound({ ...bound.data, ...theirs }));
    given(bound, ended('bound')).when(take()).then(bound);
    given(bound).when(take(theirs)).thenThrows('CONFLICT');
  });
  it('of a reservation is told too', () => {
    const reserved = { hardwareId: 'h1', origin: 'reservation' as const };
    given(leaseBound({ ...bound.data, ...reserved }))
      .when(end())
      .then(ended('bound', reserved));
  });
  it.each([
    ['declined', [bound, declined], {}],
    ['conflict', [conflict], { mac: null, clientId: null }],
  ] as const)('was a quarantine: %s', (was, events, whose) => {
    given(...events)
      .when(take({ mac: other, clientId: '0102' }))
      .thenThrows('CONFLICT', 'in quarantine');
    given(...events)
      .when(end())
      .then(ended(was, whose));
    given(...events, ended(was, whose))
      .when(take({ mac: other, clientId: '0102' }))
      .then(leaseBound({ ...bound.data, mac: other, clientId: '0102' }));
  });
  it.each<[string, readonly LeaseEvent[], string, RegExp]>([
    ['never was', [], now, /10\.0\.0\.5 was never leased/],
    ['was given back', [bound, leaseReleased(holder)], now, /nobody has 10\.0\.0\.5: the lease of 02:.*:01 is over/],
    ['was ended', [bound, ended('bound')], now, /the lease of 02:00:00:00:00:01 is over/],
    ['ran out', [bound], expiresAt, /the lease of 02:00:00:00:00:01 ran out at 2026-01-02T/],
    ['is no quarantine any more', [conflict], expiresAt, /its quarantine ended at 2026-01-02T/],
  ])('is refused when it %s', (_, events, at, why) =>
    given(...events)
      .when(end({ now: at }))
      .thenThrows('NOT_FOUND', why),
  );
  it('is refused when it is not what was seen, of whichever side the change is', () => {
    const seen = { was: 'bound', mac, clientId: '0101' } as const;
    given(bound).when(end({ seen })).then(ended('bound'));
    // A card is the same whatever it calls itself by now.
    given(bound)
      .when(end({ seen: { ...seen, clientId: null } }))
      .then(ended('bound'));
    given(bound)
      .when(end({ seen: { ...seen, mac: other } }))
      .thenThrows('CONFLICT', '10.0.0.5 is leased to 02:00:00:00:00:01 by now');
    given(bound)
      .when(end({ seen: { ...seen, was: 'declined' } }))
      .thenThrows('CONFLICT', 'leased to');
    given(bound, declined).when(end({ seen })).thenThrows('CONFLICT', '10.0.0.5 is in quarantine by now');
    given(conflict)
      .when(end({ seen: { was: 'conflict', ...nobody } }))
      .then(ended('conflict', nobody));
  });
  it('leaves its client the first to be asked whether it wants the address again', () => {
    const state = fold(leaseDecider, [bound, ended('bound')]);
    expect(leaseOfIp(state, holder.ip, now)).toBeUndefined();
    expect(isFree(state.book.get(holder.ip), now)).toBe(true);
    expect(lastLease(state, clientKey(holder))?.ip).toBe(holder.ip);
  });
  it('is of a log as old as may be', () => {
    const old = { mac, hardwareId: 'h1', ip: holder.ip };
    const first = decodeEvent('lease', {
      ...{ type: 'LeaseBound', v: 1 },
      data: { ...old, hostname: 'n1', leaseSeconds: 86_400, expiresAt, giaddr: null },
    }) as LeaseEvent;
    const renewed = decodeEvent('lease', {
      ...{ type: 'LeaseRenewed', v: 1 },
      data: { ...old, leaseSeconds: 86_400, expiresAt, clientState: 'renewing' },
    }) as LeaseEvent;
    given(first, renewed)
      .when(end())
      .then(ended('bound', { ...old, clientId: null, subnet: '', origin: 'reservation' }));
  });

  it('is the next address of a pool that has no other, also from quarantine, with a book made anew', () => {
    const ms = Date.parse(now);
    const spec = { name: 'lab', subnet: 'lab', ranges: [[numberOf(holder.ip), numberOf(holder.ip)]] as const };
    const seeker = { mac: other, clientId: null, pools: ['lab'] };
    for (const before of [[bound], [bound, declined], [conflict]]) {
      const pools = new AddressPools([spec], () => false);
      const taken = fold(leaseDecider, before);
      expect([...pools.rebuild(taken)]).toEqual([]);
      expect(pools.offer(seeker, taken, { iso: now, ms })).toBeUndefined();
      const state = fold(leaseDecider, [...before, ...leaseDecider.decide(end(), taken)]);
      pools.note(holder.ip, state);
      expect(pools.usage(state, { iso: now, ms })).toMatchObject([{ used: 0, quarantined: 0 }]);
      expect(pools.offer(seeker, state, { iso: now, ms })).toBe(holder.ip);
      const anew = new AddressPools([spec], () => false);
      expect([...anew.rebuild(state)]).toEqual([]);
      expect(anew.offer(seeker, state, { iso: now, ms })).toBe(holder.ip);
    }
  });
});

describe('an IPv6 lease that is ended', () => {
  const given = specify(lease6Decider);
  const six: Holder6 = { ...holder, ip: 'fd00::5', clientId: '0004aa:1' };
  const end = (over: object = {}): Lease6Command => ({
    ...{ type: 'EndAddress', ip: six.ip, seen: undefined, now, ...over },
  });
  const bound6 = leaseBound({ ...six, hostname: '', expiresAt });
  const resting: LeaseEvent = {
    ...{ type: 'LeaseDeclined', v: 2 },
    data: { ...six, message: '', quarantinedUntil: expiresAt },
  };
  const take = (who: Holder6): Lease6Command => ({
    ...{ type: 'BindAddress', holder: who, hostname: '', leaseSeconds: 86_400, giaddr: null },
    ...{ clientState: 'selecting', now },
  });

  it.each([
    ['bound', [bound6]],
    ['declined', [bound6, resting]],
  ] as const)('is told, and may be anybody’s at once: %s', (was, events) => {
    const theirs: Holder6 = { ...six, mac: null, clientId: '0004bb:1' };
    given(...events)
      .when(take(theirs))
      .thenThrows('CONFLICT');
    given(...events)
      .when(end())
      .then(ended(was, six));
    given(...events, ended(was, six))
      .when(take(theirs))
      .then(leaseBound({ ...bound6.data, ...theirs }));
    const state = fold(lease6Decider, [...events, ended(was, six)]);
    expect([isFree6(state, six.ip, now), addressesOf(state, six.clientId)]).toEqual([true, [six.ip]]);
  });
  it('is refused when there is none, or it is another’s by now', () => {
    given().when(end()).thenThrows('NOT_FOUND', 'fd00::5 was never leased');
    given(bound6, ended('bound', six)).when(end()).thenThrows('NOT_FOUND', 'is over');
    const unnamed = { ...bound6.data, mac: null };
    const seen = { was: 'bound', mac: null, clientId: '0004aa:1' };
    given(leaseBound(unnamed))
      .when(end({ seen }))
      .then(ended('bound', { ...six, mac: null }));
    given(leaseBound(unnamed))
      .when(end({ seen: { ...seen, clientId: '0004bb:1' } }))
      .thenThrows('CONFLICT', 'fd00::5 is leased to 0004aa:1 by now');
  });
  it('is not extended by what its client says afterwards, but bound anew', () => {
    given(bound6, leaseRenewed({ ...six, expiresAt }), ended('bound', six))
      .when(take(six))
      .then(bound6);
  });
});
