import type { DhcpServiceEvent, LeaseEvent } from '@tinkerbell/events';
import { specify } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import type { Instant } from './address-pools';
import { Lease6Books, type Pool6 } from './lease6-books';
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
  it('are forgotten with their client when another has the address', () => {
    const clients = Array.from({ length: 100 }, (_, i) => ({ ...holder, clientId: `0004${i}:00000001` }));
    const second = { ...other, ip: 'fd99::a2' };
    const after = stateOf(bound(other), bound(second), ...clients.map((client) => bound(client)));
    expect(after.byClient.size).toBe(2);
    expect(addressesOf(after, other.clientId)).toEqual([second.ip]);
    expect(addressesOf(after, '000499:00000001')).toEqual([holder.ip]);
  });
  it('of a record go from one DUID of the machine to its next', () => {
    const system = { ...reserved, clientId: '0001cc:00000002' };
    given(bound(reserved)).when(bind(system)).then(expired(reserved, 'moved'), bound(system));
  });
  it('of a record wait for the lease that another client has, however it came by it', () => {
    const stranger = { ...reserved, mac: '52-54-00-99-00-02', hardwareId: null, clientId: '0004bb:00000001' };
    for (const origin of ['pool', 'reservation'] as const) {
      given(bound({ ...stranger, origin }))
        .when(bind(reserved))
        .thenThrows('CONFLICT', 'fd99::20 is leased to 0004bb:00000001 until 2026-01-01T01:00:00.000Z');
    }
    given(bound({ ...stranger, mac: null, origin: 'pool' }))
      .when(bind({ ...reserved, mac: null }))
      .thenThrows('CONFLICT');
    const later = bind(reserved, { now: '2026-01-01T01:00:00.000Z' });
    given(bound({ ...stranger, origin: 'pool' }))
      .when(later)
      .then(expired({ ...stranger, origin: 'pool' }, 'time'), bound(reserved, '2026-01-01T02:00:00.000Z'));
    const quarantined = declined({ ...stranger, origin: 'pool' }, '2026-01-01T02:00:00.000Z');
    given(bound({ ...stranger, origin: 'pool' }), quarantined)
      .when(bind(reserved))
      .then(bound(reserved));
  });
  it('of a range go on when their client gets a record', () => {
    const enrolled = { ...holder, hardwareId: 'h1' };
    given(bound()).when(bind(enrolled)).then(bound(enrolled));
  });
  it('are left by their client only', () => {
    const leave = (clientId: string): Lease6Command => ({
      ...{ type: 'LeaveAddresses', clientId, ips: [holder.ip, 'fd99::1'], now },
    });
    given(bound()).when(leave(holder.clientId)).then(expired(holder, 'moved'));
    given(bound()).when(leave(other.clientId)).thenNothing();
    given(bound(), released).when(leave(holder.clientId)).thenNothing();
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

describe('the books of IPv6 leases', () => {
  const pool: Pool6 = { name: 'lab', has: (ip) => ip.startsWith('fd99::a') };
  const at = (iso: string): Instant => ({ iso, ms: Date.parse(iso) });
  const kept = (...events: readonly LeaseEvent[]) => {
    const state = stateOf(...events);
    const books = new Lease6Books([pool]);
    const steps = [...books.rebuild(state)].length;
    return { state, books, steps };
  };

  it('are made in steps, however many leases there are', () => {
    const leases = Array.from({ length: 2500 }, (_, n) => bound({ ...other, clientId: `${n}`, ip: `fd99::a${n}` }));
    const { books, steps } = kept(...leases);
    expect([books.usage('lab').used, steps]).toEqual([2500, 2]);
  });

  it('say which leases ran out, each once', () => {
    const { state, books } = kept(bound(holder), bound(reserved), bound({ ...other, ip: 'fd99::a2' }), released);
    expect(books.due(state, at('2026-01-01T00:59:59.999Z'), 9)).toEqual([]);
    expect([...books.due(state, at('2026-01-01T01:00:00.000Z'), 9)].sort()).toEqual(['fd99::20', 'fd99::a2']);
    expect(books.due(state, at('2026-01-01T01:00:00.000Z'), 9)).toEqual([]);
  });
  it('wait for one that was renewed', () => {
    const { state, books } = kept(bound());
    const renewed = stateOf(bound(), bound(holder, '2026-01-01T02:00:00.000Z'));
    books.note(holder.ip, renewed);
    expect(books.due(renewed, at('2026-01-01T01:30:00.000Z'), 9)).toEqual([]);
    expect(books.due(renewed, at('2026-01-01T02:00:00.000Z'), 9)).toEqual([holder.ip]);
    expect(state).not.toBe(renewed);
  });
  it('count what a range has leased and in quarantine, and no longer when that is over', () => {
    const taken = { ...other, ip: 'fd99::a2' };
    const until = '2026-01-01T00:10:00.000Z';
    const { state, books } = kept(bound(), bound(reserved), bound(taken), declined(taken, until));
    expect(books.usage('lab')).toEqual({ used: 1, quarantined: 1 });
    expect(books.due(state, at(until), 9)).toEqual([]);
    expect(books.usage('lab')).toEqual({ used: 1, quarantined: 0 });
    books.note(holder.ip, stateOf(bound(), released));
    expect(books.usage('lab')).toEqual({ used: 0, quarantined: 0 });
  });
});

describe('a pool of IPv6 addresses', () => {
  const defined: LeaseEvent = {
    type: 'PoolDefined',
    v: 1,
    data: { subnet: 'lab', pool: 'lab', ranges: ['fd99::a000/116'], size: 4096 },
  };
  const taken: DhcpServiceEvent = { type: 'PoolTaken', v: 1, data: { address: '10.0.0.1', epoch: 1 } };
  const named: LeaseEvent = { type: 'ServerNamed', v: 1, data: { duid: '0004aa' } };
  it('tells of leases that ran out, and of no others', () => {
    const expire: Lease6Command = {
      type: 'ExpireAddresses',
      ips: [holder.ip, 'fd99::1'],
      now: '2026-01-01T01:00:00.000Z',
    };
    given(bound()).when(expire).then(expired(holder, 'time'));
    given(bound())
      .when({ ...expire, now })
      .thenNothing();
    given(bound(), expired(holder, 'time')).when(expire).thenNothing();
  });
  it('is told of when it is new, and when it gets full', () => {
    const define: Lease6Command = { type: 'DefinePool', ...defined.data };
    given().when(define).then(defined);
    given(defined).when(define).thenNothing();
    given(defined)
      .when({ type: 'CountPool', subnet: 'lab', pool: 'lab', used: 3700, size: 4096 })
      .then({
        type: 'PoolUtilisationCrossed',
        v: 1,
        data: { subnet: 'lab', pool: 'lab', level: 90, before: 0, used: 3700, size: 4096 },
      });
  });
  it('is told of when the settings name it no more', () => {
    const dropped: LeaseEvent = { type: 'PoolDropped', v: 1, data: { subnet: 'lab', pool: 'lab' } };
    given(defined).when({ type: 'KeepPools', pools: [] }).then(dropped);
    given(defined, dropped).when({ type: 'KeepPools', pools: [] }).thenNothing();
  });
  it('is taken by one instance after another, all of one name', () => {
    given().when({ type: 'TakePool', address: '10.0.0.1', epoch: 1, duid: '0004aa' }).then(taken, named);
    given(taken, named)
      .when({ type: 'TakePool', address: '10.0.0.2', epoch: 2, duid: '0004bb' })
      .then({ ...taken, data: { address: '10.0.0.2', epoch: 2 } });
  });
});

describe('an IPv6 lease of another server', () => {
  const expiresAt = '2026-01-01T01:00:00.000Z';
  const later = '2026-01-01T02:00:00.000Z';
  const take = (over: { holder?: Holder6; expiresAt?: string; now?: string } = {}): Lease6Command => ({
    ...{ type: 'ImportAddress', holder, hostname: 'n1', expiresAt, now, ...over },
  });
  it('is bound, once, and extended when it was renewed there', () => {
    given().when(take()).then(bound());
    given(bound()).when(take()).thenNothing();
    const longer = { ...holder, leaseSeconds: 7200, expiresAt: later, clientState: 'renewing' as const };
    given(bound())
      .when(take({ expiresAt: later }))
      .then({ type: 'LeaseRenewed', v: 2, data: longer });
    given(bound())
      .when(take({ expiresAt: later, now: expiresAt }))
      .then(expired(holder, 'time'), bound(holder, later));
  });
  it('gives way to whoever has the address here', () => {
    given(bound(other)).when(take()).thenThrows('CONFLICT', `fd99::a1 is bound until ${expiresAt}`);
    const quarantined = [bound(), declined(holder, later)];
    given(...quarantined)
      .when(take())
      .thenThrows('CONFLICT', `fd99::a1 is declined until ${later}`);
  });
});
