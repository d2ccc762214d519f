import type { LeaseHolder } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors';
import { AddressPools, type Seeker } from './address-pools';
import { numberOf } from './ipv4';
import { type LeaseCommand, leaseDecider, leaseOfIp } from './lease.decider';
import type { PoolSpec } from './pool-addresses';

const start = Date.parse('2026-01-01T00:00:00.000Z');
const leaseMs = 60_000;
const range = (first: string, last: string) => [numberOf(first), numberOf(last)] as const;
const lab: PoolSpec = { name: 'lab', subnet: 'lab', ranges: [range('10.0.0.10', '10.0.0.12')] };
const one: PoolSpec = { ...lab, ranges: [range('10.0.0.10', '10.0.0.10')] };

/** A pool with a clock, and everything that boots does with it. */
function site(specs: readonly PoolSpec[] = [lab], reserved: ReadonlySet<string> = new Set()) {
  let state = leaseDecider.initial;
  let ms = start;
  const pools = new AddressPools(specs, (ip) => reserved.has(ip));
  const now = () => ({ iso: new Date(ms).toISOString(), ms });
  const seeker = (n: number, wanted?: string, only = specs.map(({ name }) => name)): Seeker => ({
    ...{ mac: `02-00-00-00-00-${n}`, clientId: null, pools: only, wanted },
  });
  const store = (command: LeaseCommand) => {
    const events = leaseDecider.decide(command, state);
    state = events.reduce(leaseDecider.evolve, state);
    for (const { data } of events) if ('ip' in data && data.ip !== null) pools.note(data.ip, state);
    return events;
  };
  const holder = (n: number, ip: string): LeaseHolder => {
    const { mac, clientId } = seeker(n);
    return { mac, clientId, hardwareId: null, ip, subnet: pools.poolOf(ip)?.subnet ?? '', origin: 'pool' };
  };
  return {
    ...{ pools, seeker, holder, store },
    state: () => state,
    now,
    wait: (seconds: number) => (ms += seconds * 1000),
    offer: (n: number, wanted?: string, only?: string[]) => pools.offer(seeker(n, wanted, only), state, now()),
    mayHave: (n: number, ip: string) => pools.mayHave(seeker(n), ip, state, now()),
    bind: (n: number, ip: string) =>
      store({
        ...holder(n, ip),
        ...{ type: 'BindLease', hostname: '', leaseSeconds: leaseMs / 1000, giaddr: null, clientState: 'selecting' },
        now: now().iso,
      }),
    release: (n: number, ip: string) => store({ ...holder(n, ip), type: 'ReleaseLease' }),
    sweep: () => store({ type: 'ExpireLeases', ips: pools.due(state, now(), 1000), now: now().iso }),
  };
}

describe('an offer', () => {
  it('is the same when the client asks again, and another for every other client', () => {
    const { offer } = site();
    expect([offer(1), offer(2), offer(1), offer(3)]).toEqual(['10.0.0.10', '10.0.0.11', '10.0.0.10', '10.0.0.12']);
  });
  it('is the address that the client had last, as long as nobody else has it', () => {
    const { offer, bind, release, wait } = site();
    bind(1, '10.0.0.11');
    release(1, '10.0.0.11');
    expect([offer(2), offer(3), offer(1)]).toEqual(['10.0.0.10', '10.0.0.12', '10.0.0.11']);
    wait(30);
    bind(4, '10.0.0.11');
    expect(offer(1)).toBe('10.0.0.10');
  });
  it('is the address that the client wishes for, when it may have that', () => {
    const { offer } = site();
    expect([offer(1, '10.0.0.12'), offer(2, '10.0.0.12'), offer(3, '10.9.9.9')]).toEqual([
      '10.0.0.12',
      '10.0.0.10',
      '10.0.0.11',
    ]);
  });
  it('lapses, and its address goes to somebody else', () => {
    const { offer, mayHave, wait } = site([one]);
    offer(1);
    expect(mayHave(2, '10.0.0.10')).toBe(false);
    wait(20);
    expect([offer(2), mayHave(1, '10.0.0.10')]).toEqual(['10.0.0.10', false]);
  });
  it('goes to the next one who asks when nothing else is left, and whoever takes it first has it', () => {
    const { offer, mayHave, bind } = site([one]);
    expect([offer(1), offer(2)]).toEqual(['10.0.0.10', '10.0.0.10']);
    expect([mayHave(1, '10.0.0.10'), mayHave(2, '10.0.0.10'), mayHave(3, '10.0.0.10')]).toEqual([true, true, false]);
    bind(1, '10.0.0.10');
    expect([mayHave(1, '10.0.0.10'), mayHave(2, '10.0.0.10'), offer(2)]).toEqual([true, false, undefined]);
  });
  it('that stands longest is the first that somebody else gets, over all pools of a client', () => {
    const other = { ...one, name: 'other', ranges: [range('10.0.0.90', '10.0.0.91')] };
    const { offer, wait } = site([one, other]);
    const all = [2, 1, 3].map((n) => (wait(1), offer(n, n === 2 ? '10.0.0.91' : undefined)));
    expect(all).toEqual(['10.0.0.91', '10.0.0.10', '10.0.0.90']);
    expect([2, 4, 5, 6].map((n) => (wait(1), offer(n)))).toEqual(['10.0.0.91', '10.0.0.10', '10.0.0.90', '10.0.0.91']);
    expect(offer(7, undefined, ['other'])).toBe('10.0.0.90');
  });
  it('to those who only ask shuts nobody out: 200 a second, and each who takes what it is offered has it', () => {
    const { offer, bind, mayHave, wait } = site([{ ...lab, ranges: [range('10.0.0.1', '10.0.0.254')] }]);
    let stranger = 1000;
    const ask = (count: number) => {
      for (let n = 0; n < count; n++) {
        wait(1 / 200);
        offer(stranger++);
      }
    };
    ask(4000);
    for (let n = 1; n <= 100; n++) {
      const ip = offer(n) ?? '';
      ask(400);
      expect([n, mayHave(n, ip)]).toEqual([n, true]);
      bind(n, ip);
    }
    expect(mayHave(stranger, '10.0.0.1')).toBe(false);
  });
  it('never is a reserved address, until that is none', () => {
    const reserved = new Set(['10.0.0.10', '10.0.0.12']);
    const { offer, bind, wait } = site([lab], reserved);
    bind(1, offer(1) ?? '');
    expect([offer(1), offer(2, '10.0.0.12')]).toEqual(['10.0.0.11', undefined]);
    reserved.delete('10.0.0.10');
    wait(11);
    expect(offer(2)).toBe('10.0.0.10');
  });
  it('takes addresses that were used longest ago first, and none that runs', () => {
    const { offer, bind, sweep, wait } = site();
    bind(1, '10.0.0.11');
    wait(10);
    bind(2, '10.0.0.10');
    wait(10);
    bind(3, '10.0.0.12');
    expect(offer(4)).toBeUndefined();
    wait(50);
    expect(sweep().map(({ type, data }) => [type, 'ip' in data && data.ip])).toEqual([
      ['LeaseExpired', '10.0.0.11'],
      ['LeaseExpired', '10.0.0.10'],
    ]);
    expect([offer(4), offer(5)]).toEqual(['10.0.0.11', '10.0.0.10']);
  });
  it('is no address in quarantine, until that is over', () => {
    const { offer, bind, store, holder, wait, now, pools, state } = site([
      { ...lab, ranges: [range('10.0.0.10', '10.0.0.10')] },
    ]);
    bind(1, '10.0.0.10');
    const quarantinedUntil = new Date(now().ms + 3_600_000).toISOString();
    store({ ...holder(1, '10.0.0.10'), type: 'DeclineLease', message: '', quarantinedUntil });
    expect([offer(1), offer(2)]).toEqual([undefined, undefined]);
    expect(pools.usage(state(), now())).toMatchObject([{ size: 1, used: 0, quarantined: 1 }]);
    wait(3601);
    expect(offer(2)).toBe('10.0.0.10');
  });
  it('is, of addresses in quarantine, what was declined longest ago once that is ended, and each is named once', () => {
    const { bind, store, holder, pools, seeker, state, now, wait, offer } = site();
    for (const [n, ip] of [
      [1, '10.0.0.12'],
      [2, '10.0.0.10'],
    ] as const) {
      bind(n, ip);
      const quarantinedUntil = new Date(now().ms + 3_600_000).toISOString();
      store({ ...holder(n, ip), type: 'DeclineLease', message: '', quarantinedUntil });
      wait(1);
    }
    bind(3, '10.0.0.11');
    expect(offer(4)).toBeUndefined();
    const declined = () => pools.takeDeclined(seeker(4), state());
    expect([declined(), declined(), declined()]).toEqual(['10.0.0.12', '10.0.0.10', undefined]);
    pools.note('10.0.0.10', state());
    expect(declined()).toBe('10.0.0.10');
    store({ type: 'EndQuarantine', ip: '10.0.0.12', probed: false, now: now().iso });
    expect([offer(4), declined()]).toEqual(['10.0.0.12', undefined]);
  });
  it('comes from the pools that the client may use only', () => {
    const uefi: PoolSpec = { name: 'uefi', subnet: 'lab', ranges: [range('10.0.0.90', '10.0.0.90')] };
    const { offer } = site([uefi, lab]);
    expect([offer(1, undefined, ['lab']), offer(2), offer(3, '10.0.0.90', ['lab'])]).toEqual([
      '10.0.0.10',
      '10.0.0.90',
      '10.0.0.11',
    ]);
  });
});

describe('pools', () => {
  it('count what is in use, and again after a restart', () => {
    const { bind, release, pools, state, seeker, now } = site();
    bind(1, '10.0.0.10');
    bind(2, '10.0.0.11');
    release(1, '10.0.0.10');
    expect(pools.usage(state(), now())).toEqual([{ pool: 'lab', subnet: 'lab', size: 3, used: 1, quarantined: 0 }]);
    Array.from(pools.rebuild(state()));
    expect(pools.usage(state(), now())).toEqual([{ pool: 'lab', subnet: 'lab', size: 3, used: 1, quarantined: 0 }]);
    expect(pools.offer(seeker(1), state(), now())).toBe('10.0.0.10');
  });

  it.each([1, 2, 3, 4, 5, 6])('give no address to two machines, whatever happens (history %i)', (history) => {
    let seed = history;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed >>> 8) % below;
    };
    const reserved = new Set(['10.0.0.13', '10.0.1.3']);
    const ranges = [range('10.0.0.10', '10.0.0.19'), range('10.0.1.1', '10.0.1.4')];
    const it = site([{ ...lab, ranges }], reserved);
    const has = new Map<number, string>();
    const clients = 20;
    for (let step = 0; step < 2000; step++) {
      const n = random(clients);
      const ip = has.get(n);
      const isMine = ip !== undefined && leaseOfIp(it.state(), ip, it.now().iso)?.mac === it.seeker(n).mac;
      switch (random(7)) {
        case 0:
        case 1:
        case 2: {
          const offered = it.offer(n, random(2) === 0 ? `10.0.0.${8 + random(14)}` : undefined);
          if (offered === undefined) break;
          expect(reserved.has(offered) || it.pools.poolOf(offered) === undefined).toBe(false);
          if (random(3) === 0) break;
          const holder = leaseOfIp(it.state(), offered, it.now().iso);
          expect(holder === undefined || holder.mac === it.seeker(n).mac).toBe(true);
          it.bind(n, offered);
          has.set(n, offered);
          break;
        }
        case 3:
          if (isMine) it.bind(n, ip);
          break;
        case 4:
          // Of somebody else's too.
          it.release(n, has.get(random(clients)) ?? '10.0.0.10');
          break;
        case 5:
          try {
            it.bind(n, `10.0.0.${10 + random(10)}`);
          } catch (error) {
            expect(error).toBeInstanceOf(DomainError);
          }
          break;
        default:
          it.wait(random(20));
          it.sweep();
      }
      const holders = [...it.state().book.values()].filter((lease) => leaseOfIp(it.state(), lease.ip, it.now().iso));
      expect(new Set(holders.map(({ ip: held }) => held)).size).toBe(holders.length);
      expect(new Set(holders.map(({ mac }) => mac)).size).toBe(holders.length);
    }
  });

  it('count no quarantine that is over, also after a restart', () => {
    const { bind, store, holder, wait, now, pools, state, offer } = site();
    const decline = (n: number, ip: string, seconds: number) => {
      const quarantinedUntil = new Date(now().ms + seconds * 1000).toISOString();
      store({ ...holder(n, ip), type: 'DeclineLease', message: '', quarantinedUntil });
    };
    for (const [n, ip] of [
      [1, '10.0.0.10'],
      [2, '10.0.0.11'],
    ] as const) {
      bind(n, ip);
      decline(n, ip, 60 * n);
    }
    const counts = () => pools.usage(state(), now()).map(({ used, quarantined }) => [used, quarantined]);
    expect(counts()).toEqual([[0, 2]]);
    wait(60);
    expect(counts()).toEqual([[0, 1]]);
    Array.from(pools.rebuild(state()));
    expect(counts()).toEqual([[0, 1]]);
    bind(3, '10.0.0.10');
    decline(3, '10.0.0.10', 90);
    wait(60);
    expect(counts()).toEqual([[0, 1]]);
    for (const n of [4, 5]) bind(n, offer(n) ?? '');
    expect([counts(), offer(6)]).toEqual([[[2, 1]], undefined]);
    wait(30);
    expect([counts(), offer(6)]).toEqual([[[2, 0]], '10.0.0.10']);
  });

  it('give out every address of a large range, and then none', () => {
    const size = 20_000;
    const spec: PoolSpec = { ...lab, ranges: [[numberOf('10.0.0.0'), numberOf('10.0.0.0') + size - 1]] };
    const { offer, bind, pools, state, now } = site([spec]);
    for (let n = 0; n < size; n++) bind(n, offer(n) ?? '');
    expect(pools.usage(state(), now())).toMatchObject([{ used: size }]);
    expect(offer(size)).toBeUndefined();
  });
});
