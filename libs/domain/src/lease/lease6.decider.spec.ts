import type { LeaseEvent } from '@tinkerbell/events';
import { specify } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { addressesOf, holder6Of, type Holder6, isFree6, type Lease6Command, lease6Decider } from './lease6.decider';

const given = specify(lease6Decider);
const now = '2026-01-01T00:00:00.000Z';
const holder: Holder6 = {
  ...{ mac: '52-54-00-99-00-01', hardwareId: null, clientId: '0004aa:00000001' },
  ...{ ip: 'fd99::a1', subnet: 'fd99::/64', origin: 'pool' },
};
const reserved: Holder6 = { ...holder, hardwareId: 'h1', origin: 'reservation', ip: 'fd99::20' };
const bind = (who: Holder6 = holder, over: { now?: string; leaseSeconds?: number } = {}): Lease6Command => ({
  ...{ type: 'BindAddress', holder: who, hostname: 'n1', leaseSeconds: 3600, giaddr: null },
  ...{ clientState: 'renewing', now, ...over },
});
const bound = (who: Holder6 = holder, expiresAt = '2026-01-01T01:00:00.000Z'): LeaseEvent => ({
  type: 'LeaseBound',
  v: 2,
  data: { ...who, hostname: 'n1', leaseSeconds: 3600, expiresAt, giaddr: null },
});
const expired = (who: Holder6, cause: 'time' | 'moved'): LeaseEvent => ({
  type: 'LeaseExpired',
  v: 1,
  data: { ...who, expiresAt: '2026-01-01T01:00:00.000Z', cause },
});
const declined = (who: Holder6, quarantinedUntil: string | null): LeaseEvent => ({
  type: 'LeaseDeclined',
  v: 2,
  data: { ...who, message: 'in use', quarantinedUntil },
});
const decline = (who: Holder6): Lease6Command => ({
  ...{ type: 'DeclineAddress', holder: who, message: 'in use', quarantineSeconds: 60, now },
});
const released: LeaseEvent = { type: 'LeaseReleased', v: 2, data: holder };
const other: Holder6 = { ...holder, mac: null, clientId: '0004bb:00000001' };
const stateOf = (...events: readonly LeaseEvent[]) =>
  events.reduce((state, event) => lease6Decider.evolve(state, event), lease6Decider.initial);

describe('IPv6 leases', () => {
  it('are bound, then renewed', () => {
    given().when(bind()).then(bound());
    given(bound())
      .when(bind(holder, { now: '2026-01-01T00:30:00.000Z' }))
      .then({
        type: 'LeaseRenewed',
        v: 2,
        data: { ...holder, leaseSeconds: 3600, expiresAt: '2026-01-01T01:30:00.000Z', clientState: 'renewing' },
      });
    given(bound()).when(bind()).thenNothing();
  });
  it('of a range are nobody else’s before they are over, and then the old one is told to be', () => {
    given(bound()).when(bind(other)).thenThrows('CONFLICT', 'fd99::a1 is leased to 0004aa:00000001');
    const later = bind(other, { now: '2026-01-01T01:00:00.000Z' });
    given(bound()).when(later).then(expired(holder, 'time'), bound(other, '2026-01-01T02:00:00.000Z'));
    given(bound(), released).when(bind(other)).then(bound(other));
  });
  it('of a record go from one DUID of the machine to its next', () => {
    const system = { ...reserved, clientId: '0001cc:00000002' };
    given(bound(reserved)).when(bind(system)).then(expired(reserved, 'moved'), bound(system));
  });
  it('are many of one client', () => {
    const second = { ...holder, ip: 'fd99::a2' };
    const state = stateOf(bound(), bound(second));
    expect(addressesOf(state, holder.clientId)).toEqual(['fd99::a1', 'fd99::a2']);
    expect(holder6Of(state, 'fd99::a1', now)?.clientId).toBe(holder.clientId);
    expect(holder6Of(state, 'fd99::a1', '2026-01-01T01:00:00.000Z')).toBeUndefined();
  });
  it('are remembered after their end, until somebody else has the address', () => {
    expect(addressesOf(stateOf(bound(), released), holder.clientId)).toEqual(['fd99::a1']);
    expect(addressesOf(stateOf(bound(), released, bound(other)), holder.clientId)).toEqual([]);
  });
  it('are released by their holder only', () => {
    given(bound()).when({ type: 'ReleaseAddress', holder }).then(released);
    given(bound()).when({ type: 'ReleaseAddress', holder: other }).thenNothing();
    given(bound(), released).when({ type: 'ReleaseAddress', holder }).thenNothing();
  });
  it('that are declined are given to nobody for a while, but for reserved ones', () => {
    given(bound()).when(decline(holder)).then(declined(holder, '2026-01-01T00:01:00.000Z'));
    given(bound(reserved)).when(decline(reserved)).then(declined(reserved, null));
    given(bound()).when(decline(other)).thenNothing();
    const state = stateOf(bound(), declined(holder, '2026-01-01T00:01:00.000Z'));
    expect(isFree6(state, 'fd99::a1', now)).toBe(false);
    expect(isFree6(state, 'fd99::a1', '2026-01-01T00:01:00.000Z')).toBe(true);
    given(bound(), declined(holder, '2026-01-01T00:01:00.000Z')).when(bind(other)).thenThrows('CONFLICT');
  });
  it('are of a length that fits into the message', () =>
    given()
      .when(bind(holder, { leaseSeconds: 0 }))
      .thenThrows('INVALID', 'leaseSeconds must be 1 to'));
  it('are given out under one name of the server, for ever', () => {
    const named: LeaseEvent = { type: 'ServerNamed', v: 1, data: { duid: '0004ff' } };
    given().when({ type: 'NameServer', duid: '0004ff' }).then(named);
    given(named).when({ type: 'NameServer', duid: '0004ee' }).thenNothing();
  });
});
