import { catalogue, type DhcpServiceEvent, type LeaseEvent, type LeaseHolder } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { clientKey, lastLease } from './lease.decider';
import { type PoolCommand, poolDecider, type PoolState } from './pool.decider';
import { poolSaving } from './pool-snapshot';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const client = (n: number) => ({ mac: `02-00-00-00-00-0${n}`, hardwareId: null, clientId: n % 2 ? `01${n}` : null });
const holder = (n: number, ip: number): LeaseHolder => ({
  ...{ ...client(n), ip: `10.0.0.${ip}`, subnet: 'a', origin: 'pool' },
});
const bind = (n: number, ip: number, minute: number): PoolCommand => ({
  ...{ type: 'BindLease', ...holder(n, ip), hostname: `n${n}`, leaseSeconds: 600, giaddr: null },
  ...{ clientState: 'selecting', now: at(minute) },
});

function restored(state: PoolState): PoolState {
  const restoration = poolSaving.restoration();
  for (const lease of JSON.parse(JSON.stringify([...poolSaving.leases(state)]))) restoration.add(lease);
  return restoration.done(JSON.parse(JSON.stringify(poolSaving.pool(state))));
}

const rowsOf = (state: PoolState) => [...poolSaving.leases(state)].map((row) => row.map(String).join(' ')).sort();

/** Decides, and goes on from what was decided; a refusal is part of the answer. */
function step(state: PoolState, command: PoolCommand): { readonly said: string; readonly state: PoolState } {
  try {
    const events = poolDecider.decide(command, state);
    return { said: JSON.stringify(events), state: events.reduce(poolDecider.evolve, state) };
  } catch (error) {
    return { said: String(error), state };
  }
}

describe('a pool that was saved', () => {
  it('decides as the one that was not, whatever came before', () => {
    let seed = 7;
    const random = (below: number) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % 65_521) % below;
    const kinds: readonly ((minute: number) => PoolCommand)[] = [
      (minute) => bind(random(9), random(12), minute),
      (minute) => bind(random(9), random(12), minute),
      () => ({ type: 'ReleaseLease', ...holder(random(9), random(12)) }),
      (minute) => ({
        ...{ type: 'DeclineLease', ...holder(random(9), random(12)), message: '', quarantinedUntil: at(minute + 9) },
      }),
      (minute) => ({ type: 'ExpireLeases', ips: [`10.0.0.${random(12)}`], now: at(minute) }),
      (minute) => ({
        ...{ type: 'FindConflict', ip: `10.0.0.${random(12)}`, subnet: 'a', method: 'arp', answeredBy: null },
        ...{ quarantinedUntil: at(minute + 5), now: at(minute) },
      }),
      () => ({ type: 'CountPool', subnet: 'a', pool: 'p', used: random(11), size: 10 }),
      () => ({ type: 'DefinePool', subnet: 'a', pool: 'p', ranges: [`10.0.0.0-10.0.0.${random(3)}`], size: 10 }),
      () => ({ type: 'TakePool', address: `10.0.0.20${random(3)}`, epoch: random(99) }),
      (minute) => ({
        ...{ type: 'TellOfServer', server: `10.0.0.${random(255)}`, sign: 'offer', clientMac: client(1).mac },
        ...{ offered: null, seenAt: at(minute) },
      }),
    ];
    let kept = poolDecider.initial;
    let saved = poolDecider.initial;
    for (let minute = 0; minute < 1000; minute++) {
      const command = kinds[random(kinds.length)]?.(minute) ?? bind(1, 1, minute);
      const [one, other] = [step(kept, command), step(saved, command)];
      expect(other.said).toBe(one.said);
      [kept, saved] = [one.state, restored(other.state)];
      for (let n = 0; n < 9; n++) {
        const key = clientKey(holder(n, 0));
        expect(lastLease(saved.leases, key)).toEqual(lastLease(kept.leases, key));
      }
      expect(rowsOf(saved)).toEqual(rowsOf(kept));
    }
    expect([saved.own, saved.told, saved.leases.pools]).toEqual([kept.own, kept.told, kept.leases.pools]);
  });

  // Another outcome of these events means that snapshots of today are wrong tomorrow: raise the fold with it.
  it('is what fold 1 makes of its events', () => {
    const one = holder(1, 1);
    const lease = { leaseSeconds: 600, expiresAt: at(10) };
    const events: readonly (LeaseEvent | DhcpServiceEvent)[] = [
      { type: 'PoolTaken', v: 1, data: { address: '10.0.0.201', epoch: 3 } },
      { type: 'PoolDefined', v: 1, data: { subnet: 'a', pool: 'p', ranges: ['10.0.0.1-10.0.0.9'], size: 9 } },
      { type: 'LeaseBound', v: 2, data: { ...one, ...lease, hostname: 'one', giaddr: null } },
      { type: 'LeaseRenewed', v: 2, data: { ...one, ...lease, expiresAt: at(15), clientState: 'renewing' } },
      { type: 'LeaseBound', v: 2, data: { ...holder(2, 2), ...lease, hostname: '', giaddr: '10.0.0.254' } },
      { type: 'LeaseReleased', v: 2, data: holder(2, 2) },
      { type: 'LeaseBound', v: 2, data: { ...holder(2, 3), ...lease, hostname: '', giaddr: null } },
      { type: 'LeaseDeclined', v: 2, data: { ...holder(2, 3), message: '', quarantinedUntil: at(99) } },
      { type: 'LeaseBound', v: 2, data: { ...holder(6, 6), ...lease, hostname: '', giaddr: null } },
      { type: 'LeaseDeclined', v: 2, data: { ...holder(6, 6), message: '', quarantinedUntil: at(99) } },
      {
        ...{ type: 'QuarantineEnded', v: 1 },
        data: { ip: '10.0.0.6', subnet: 'a', quarantinedUntil: at(99), probed: true },
      },
      { type: 'LeaseBound', v: 2, data: { ...holder(4, 4), ...lease, hostname: '', giaddr: null } },
      { type: 'LeaseExpired', v: 1, data: { ...holder(4, 4), expiresAt: at(10), cause: 'time' } },
      {
        ...{ type: 'LeaseConflictFound', v: 1 },
        data: { ip: '10.0.0.5', subnet: 'a', method: 'arp', answeredBy: null, quarantinedUntil: at(50) },
      },
      { type: 'LeaseBound', v: 2, data: { ...holder(8, 8), ...lease, hostname: '', giaddr: null } },
      { type: 'LeaseEnded', v: 1, data: { ...holder(8, 8), was: 'bound', expiresAt: at(10) } },
      { type: 'PoolDefined', v: 1, data: { subnet: 'a', pool: 'gone', ranges: ['10.0.1.1'], size: 1 } },
      { type: 'PoolDropped', v: 1, data: { subnet: 'a', pool: 'gone' } },
      {
        ...{ type: 'LeaseRelayed', v: 1 },
        data: { ip: '10.0.0.2', subnet: 'a', giaddr: '10.0.0.254', circuitId: '01', remoteId: null },
      },
      {
        ...{ type: 'LeaseRefused', v: 2 },
        data: { ...client(5), ip: null, subnet: 'a', requested: '10.9.9.9', reason: 'of another network' },
      },
      {
        type: 'PoolUtilisationCrossed',
        v: 1,
        data: { subnet: 'a', pool: 'p', level: 80, before: 0, used: 8, size: 9 },
      },
      {
        ...{ type: 'DhcpServerFound', v: 1 },
        data: { server: '10.0.0.66', sign: 'offer', clientMac: client(1).mac, offered: null, seenAt: at(1) },
      },
    ];
    // Of IPv6 only: ServerNamed.
    const known = Object.keys(catalogue.lease).filter((type) => type !== 'ServerNamed');
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(known));
    const state = fold(poolDecider, events);
    expect(poolSaving.fold).toBe(1);
    expect(rowsOf(state)).toEqual([
      `02-00-00-00-00-01 null 011 10.0.0.1 a pool one bound ${at(15)} 1`,
      `02-00-00-00-00-02 null null 10.0.0.2 a pool  released ${at(10)} 0`,
      `02-00-00-00-00-02 null null 10.0.0.3 a pool  declined ${at(99)} 1`,
      `02-00-00-00-00-04 null null 10.0.0.4 a pool  expired ${at(10)} 1`,
      `02-00-00-00-00-06 null null 10.0.0.6 a pool  expired ${at(99)} 1`,
      `02-00-00-00-00-08 null null 10.0.0.8 a pool  released ${at(10)} 1`,
      `null null null 10.0.0.5 a pool  conflict ${at(50)} 0`,
    ]);
    expect(poolSaving.pool(state)).toEqual({
      taken: { address: '10.0.0.201', epoch: 3 },
      own: ['10.0.0.201'],
      told: [['10.0.0.66', at(1)]],
      pools: [['p', { defined: events[1]?.data, level: 80 }]],
    });
  });
});
