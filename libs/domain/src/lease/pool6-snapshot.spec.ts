import { catalogue, type DhcpServiceEvent, type LeaseEvent } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { addressesOf, type Holder6, type Lease6Command, lease6Decider, type Lease6State } from './lease6.decider';
import { pool6Saving } from './pool6-snapshot';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const clientId = (n: number) => `0003000102000000000${n}:00000001`;
const holder = (n: number, ip: number, origin: Holder6['origin'] = 'pool'): Holder6 => ({
  ...{ mac: n % 2 ? `02-00-00-00-00-0${n}` : null, hardwareId: null, clientId: clientId(n) },
  ...{ ip: `fd00::${ip}`, subnet: 'a', origin },
});

function restored(state: Lease6State): Lease6State {
  const restoration = pool6Saving.restoration();
  for (const lease of JSON.parse(JSON.stringify([...pool6Saving.leases(state)]))) restoration.add(lease);
  return restoration.done(JSON.parse(JSON.stringify(pool6Saving.pool(state))));
}

/** Decides, and goes on from what was decided; a refusal is part of the answer. */
function step(state: Lease6State, command: Lease6Command): { readonly said: string; readonly state: Lease6State } {
  try {
    const events = lease6Decider.decide(command, state);
    return { said: JSON.stringify(events), state: events.reduce(lease6Decider.evolve, state) };
  } catch (error) {
    return { said: String(error), state };
  }
}

describe('an IPv6 pool that was saved', () => {
  it('decides as the one that was not, whatever came before', () => {
    let seed = 7;
    const random = (below: number) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % 65_521) % below;
    const some = () => holder(random(4), random(9), random(3) ? 'pool' : 'reservation');
    const bind = (minute: number): Lease6Command => ({
      ...{ type: 'BindAddress', holder: some(), hostname: `n${random(3)}`, leaseSeconds: 600, giaddr: null },
      ...{ clientState: 'selecting', now: at(minute) },
    });
    const kinds: readonly ((minute: number) => Lease6Command)[] = [
      bind,
      bind,
      () => ({ type: 'ReleaseAddress', holder: some() }),
      (minute) => ({
        type: 'DeclineAddress',
        ...{ holder: some(), message: '', quarantineSeconds: 300, now: at(minute) },
      }),
      (minute) => ({ type: 'ExpireAddresses', ips: [`fd00::${random(9)}`], now: at(minute) }),
      () => ({ type: 'CountPool', subnet: 'a', pool: 'p', used: random(11), size: 10 }),
      () => ({ type: 'DefinePool', subnet: 'a', pool: 'p', ranges: [`fd00::0-fd00::${random(3)}`], size: 10 }),
      () => ({ type: 'TakePool', address: `10.0.0.20${random(3)}`, epoch: random(99), duid: '0004aa' }),
    ];
    let kept = lease6Decider.initial;
    let saved = lease6Decider.initial;
    for (let minute = 0; minute < 500; minute++) {
      const command = kinds[random(kinds.length)]?.(minute) ?? bind(minute);
      const [one, other] = [step(kept, command), step(saved, command)];
      expect(other.said).toBe(one.said);
      [kept, saved] = [one.state, restored(other.state)];
      for (let n = 0; n < 4; n++) expect(addressesOf(saved, clientId(n))).toEqual(addressesOf(kept, clientId(n)));
      expect([...pool6Saving.leases(saved)]).toEqual([...pool6Saving.leases(kept)]);
    }
    expect(pool6Saving.pool(saved)).toEqual(pool6Saving.pool(kept));
  });

  // Another outcome of these events means that snapshots of today are wrong tomorrow: raise the fold with it.
  it('is what fold 1 makes of its events', () => {
    const lease = { leaseSeconds: 600, expiresAt: at(10) };
    const bound = (n: number, ip: number): LeaseEvent => ({
      type: 'LeaseBound',
      v: 2,
      data: { ...holder(n, ip), ...lease, hostname: `n${n}`, giaddr: null },
    });
    const events: readonly (LeaseEvent | DhcpServiceEvent)[] = [
      { type: 'PoolTaken', v: 1, data: { address: '10.0.0.201', epoch: 3 } },
      { type: 'ServerNamed', v: 1, data: { duid: '0004aa' } },
      { type: 'PoolDefined', v: 1, data: { subnet: 'a', pool: 'p', ranges: ['fd00::1-fd00::9'], size: 9 } },
      bound(1, 1),
      { type: 'LeaseRenewed', v: 2, data: { ...holder(1, 1), ...lease, expiresAt: at(15), clientState: 'renewing' } },
      bound(2, 3),
      bound(2, 2),
      { type: 'LeaseReleased', v: 2, data: holder(2, 2) },
      { type: 'LeaseDeclined', v: 2, data: { ...holder(2, 3), message: '', quarantinedUntil: at(99) } },
      bound(3, 4),
      { type: 'LeaseExpired', v: 1, data: { ...holder(3, 4), expiresAt: at(10), cause: 'moved' } },
      bound(1, 4),
      bound(3, 5),
      { type: 'LeaseEnded', v: 1, data: { ...holder(3, 5), was: 'bound', expiresAt: at(10) } },
      { type: 'PoolDefined', v: 1, data: { subnet: 'a', pool: 'gone', ranges: ['fd00::a'], size: 1 } },
      { type: 'PoolDropped', v: 1, data: { subnet: 'a', pool: 'gone' } },
      {
        type: 'PoolUtilisationCrossed',
        v: 1,
        data: { subnet: 'a', pool: 'p', level: 80, before: 0, used: 8, size: 9 },
      },
    ];
    const ipv4Only = ['LeaseRelayed', 'LeaseRefused', 'LeaseConflictFound', 'QuarantineEnded', 'DhcpServerFound'];
    const known = Object.keys(catalogue.lease).filter((type) => !ipv4Only.includes(type));
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(known));
    const state = fold(lease6Decider, events);
    expect(pool6Saving.fold).toBe(1);
    expect([...pool6Saving.leases(state)].map((row) => row.map(String).join(' ')).sort()).toEqual([
      `02-00-00-00-00-01 null ${clientId(1)} fd00::1 a pool n1 bound ${at(15)} 0`,
      `02-00-00-00-00-01 null ${clientId(1)} fd00::4 a pool n1 bound ${at(10)} 1`,
      `02-00-00-00-00-03 null ${clientId(3)} fd00::5 a pool n3 released ${at(10)} 0`,
      `null null ${clientId(2)} fd00::2 a pool n2 released ${at(10)} 1`,
      `null null ${clientId(2)} fd00::3 a pool n2 declined ${at(99)} 0`,
    ]);
    expect(pool6Saving.pool(state)).toEqual({
      taken: { address: '10.0.0.201', epoch: 3 },
      serverDuid: '0004aa',
      pools: [['p', { defined: events[2]?.data, level: 80 }]],
    });
  });
});
