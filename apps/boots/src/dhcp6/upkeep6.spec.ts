import type { Lease6Command } from '@tinkerbell/domain';
import { type EventStore, InMemoryEventStore } from '@tinkerbell/event-store';
import type { Lease as Held } from '@tinkerbell/messaging';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Lease6Pool } from '../log/lease6-pool';
import { type PoolPost, StandbyError } from '../log/pool-terms';
import { silentLogger } from '../logger';
import { Metrics } from '../metrics';
import { countedPools, parseSubnets6, type Subnet6 } from './subnet6';
import { Upkeep6 } from './upkeep6';

const stream = 'tink.ev.default.lease.default-v6';
const subnets = parseSubnets6('fd99::/64=fd99::a000/126') as readonly Subnet6[];
const pools = countedPools(subnets);
const started = Date.parse('2026-01-01T00:00:00.000Z');
const bind = (n: number, ip = `fd99::a00${n}`): Lease6Command => ({
  type: 'BindAddress',
  holder: { mac: null, hardwareId: null, clientId: `0004aa:0000000${n}`, ip, subnet: 'fd99::/64', origin: 'pool' },
  ...{ hostname: '', leaseSeconds: 60, giaddr: null, clientState: 'selecting', now: new Date(started).toISOString() },
});
const told = async (store: EventStore) =>
  (await store.read(stream)).events.map(({ event }) => {
    const { ip = '', level = '', address = '' } = Object(event.data) as Record<string, string | number>;
    return `${event.type} ${ip}${level}${address}`.trim();
  });
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

/** One instance, active when it is told so. */
async function instance(store: EventStore, address?: string) {
  let serve: ((held: Held) => Promise<void>) | undefined;
  const leadership: PoolPost['leadership'] = {
    run: (_name, work) => {
      serve = work;
      return { close: () => Promise.resolve() };
    },
  };
  const post = address === undefined ? undefined : { leadership, address, log: silentLogger };
  const leases = await Lease6Pool.open(store, 'default', { pools, post });
  closers.push(() => leases.close());
  const give = async (epoch: number) => {
    const ended = new AbortController();
    const term = serve?.({ epoch, signal: ended.signal, isHeld: () => !ended.signal.aborted });
    closers.push(async () => {
      ended.abort();
      await term;
    });
    while (!leases.isActive) await new Promise((resolve) => setImmediate(resolve));
  };
  return { leases, give };
}

describe('the upkeep of IPv6 leases', () => {
  it('tells of leases that ran out and of ranges that get full and empty', async () => {
    vi.useFakeTimers({ now: started });
    const store = new InMemoryEventStore();
    const { leases } = await instance(store);
    const metrics = new Metrics();
    const upkeep = new Upkeep6({ leases, metrics, log: silentLogger, clock: () => new Date() }, subnets);
    upkeep.open();
    closers.push(() => upkeep.close());
    await leases.submit([bind(0), bind(1), bind(2), bind(3)]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await told(store)).toEqual([
      'ServerNamed',
      ...['fd99::a000', 'fd99::a001', 'fd99::a002', 'fd99::a003'].map((ip) => `LeaseBound ${ip}`),
      'PoolDefined',
      'PoolUtilisationCrossed 100',
    ]);
    expect(metrics.text({})).toContain('boots_dhcp_pool_used{pool="fd99::/64"} 4');
    await vi.advanceTimersByTimeAsync(60_000);
    const later = (await told(store)).slice(7);
    expect(later.pop()).toBe('PoolUtilisationCrossed 0');
    expect(later.sort()).toEqual(
      ['fd99::a000', 'fd99::a001', 'fd99::a002', 'fd99::a003'].map((ip) => `LeaseExpired ${ip}`),
    );
    expect(metrics.text({})).toContain('boots_dhcp_pool_used{pool="fd99::/64"} 0');
  });
});

describe('other IPv6 pools while boots runs', () => {
  it('are counted with what is stored meanwhile; the old ones are told to be gone', async () => {
    vi.useFakeTimers({ now: started, toFake: ['setInterval', 'clearInterval', 'Date'] });
    const store = new InMemoryEventStore();
    const { leases } = await instance(store);
    const metrics = new Metrics();
    const upkeep = new Upkeep6({ leases, metrics, log: silentLogger, clock: () => new Date() }, subnets);
    upkeep.open();
    closers.push(() => upkeep.close());
    const others = Array.from({ length: 1100 }, (_, n) => bind(n + 10, `fd98::${n.toString(16)}`));
    await leases.submit([bind(0), ...others]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(metrics.text({})).toContain('boots_dhcp_pool_used{pool="fd99::/64"} 1');
    const next = parseSubnets6('fd98::/64=fd98::/112') as readonly Subnet6[];
    const changed = leases.changePools(countedPools(next), () => upkeep.change(next));
    await leases.submit([bind(2, 'fd98::f000')]);
    await changed;
    await vi.advanceTimersByTimeAsync(1000);
    expect(metrics.text({})).toContain('boots_dhcp_pool_used{pool="fd98::/64"} 1101');
    expect(metrics.text({})).not.toContain('fd99::/64');
    const pooled = (await store.read(stream)).events.filter(({ event }) => event.type.startsWith('Pool'));
    expect(pooled.map(({ event }) => `${event.type} ${Object(event.data).pool}`)).toEqual([
      ...['PoolDefined fd99::/64', 'PoolDropped fd99::/64', 'PoolDefined fd98::/64'],
    ]);
    // The lease of no pool any more is told of all the same when it runs out.
    const later = { iso: new Date(started + 60_000).toISOString(), ms: started + 60_000 };
    expect(leases.due(later, 9999)).toHaveLength(1102);
  });
});

describe('IPv6 leases with more than one instance', () => {
  it('are written by the active one only, which fences the one before off', async () => {
    const store = new InMemoryEventStore();
    const first = await instance(store, '10.0.0.1');
    const second = await instance(store, '10.0.0.2');
    await expect(second.leases.submit([bind(1)])).rejects.toThrow(StandbyError);
    await first.give(1);
    const { serverDuid } = first.leases;
    expect(serverDuid).toMatch(/^0004[0-9a-f]{32}$/);
    await first.leases.submit([bind(1)]);
    await second.give(2);
    // It still believes to be active, and nothing was leased since the other took over.
    expect(first.leases.isActive).toBe(true);
    await expect(first.leases.submit([bind(2)])).rejects.toThrow('is at');
    await expect(second.leases.submit([bind(2, 'fd99::a001')])).rejects.toThrow('fd99::a001 is leased to');
    await second.leases.submit([bind(2)]);
    expect(second.leases.serverDuid).toBe(serverDuid);
    expect(second.leases.usage('fd99::/64')).toEqual({ used: 2, quarantined: 0 });
    expect(await told(store)).toEqual([
      ...['PoolTaken 10.0.0.1', 'ServerNamed', 'LeaseBound fd99::a001'],
      ...['PoolTaken 10.0.0.2', 'LeaseBound fd99::a002'],
    ]);
  });
  it('that ran out and could not be told of are due again', async () => {
    const store = new InMemoryEventStore();
    const first = await instance(store, '10.0.0.1');
    const second = await instance(store, '10.0.0.2');
    await first.give(1);
    await first.leases.submit([bind(1)]);
    await second.give(2);
    const later = { iso: new Date(started + 60_000).toISOString(), ms: started + 60_000 };
    const ips = first.leases.due(later, 9);
    expect(ips).toEqual(['fd99::a001']);
    const expire: Lease6Command = { type: 'ExpireAddresses', ips, now: later.iso };
    await expect(first.leases.submit([expire])).rejects.toThrow('is at');
    await first.give(3);
    expect(first.leases.due(later, 9)).toEqual(ips);
    await first.leases.submit([expire]);
    expect(first.leases.due(later, 9)).toEqual([]);
  });
  it('are known to a standby too, which serves their holders scripts and files', async () => {
    const store = new InMemoryEventStore();
    const first = await instance(store, '10.0.0.1');
    const second = await instance(store, '10.0.0.2');
    await first.give(1);
    await first.leases.submit([bind(1)]);
    const now = new Date(started).toISOString();
    while (!second.leases.holderOf('fd99::a001', now)) await new Promise((resolve) => setImmediate(resolve));
    expect(second.leases.holderOf('fd99::a001', now)?.clientId).toBe('0004aa:00000001');
  });
});
