import { formatMac, type Lease6Command, type SingleLeaseCommand } from '@tinkerbell/domain';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import type { EndAnswer, EndRequest } from '@tinkerbell/messaging';
import { describe, expect, it } from 'vitest';
import { Lease6Pool } from '../log/lease6-pool';
import { LeasePool } from '../log/lease-pool';
import { silentLogger } from '../logger';
import { EndDesk } from './end-desk';

const now = '2026-01-01T00:00:00.000Z';
const mac = '02-00-00-00-00-01';
const wish = (ip: string, over: Partial<EndRequest> = {}): EndRequest => ({
  ...{ ip, seen: null, dryRun: false, actor: 'user:ann', key: null, ...over },
});
const told = (answer: EndAnswer | undefined) =>
  answer?.result === 'refused' ? `${answer.reason}: ${answer.message}` : answer?.lease;
const holder = (ip: string) => ({
  ...{ mac, hardwareId: null, clientId: '0004aa:1', ip, subnet: 'lab', origin: 'pool' as const },
});
const bind = (ip: string, over: object = {}): SingleLeaseCommand => ({
  ...{ type: 'BindLease', ...holder(ip), hostname: '', leaseSeconds: 600, giaddr: null },
  ...{ clientState: 'selecting', now, ...over },
});
const ports = { log: silentLogger, clock: () => new Date(now) };
const command = (end: object) => ({ type: 'EndLease', ...end }) as SingleLeaseCommand;

async function desk() {
  const store = new InMemoryEventStore();
  const pool = await LeasePool.open(store, 'default');
  const stored: SingleLeaseCommand[] = [];
  const desk = new EndDesk<SingleLeaseCommand>({
    ...{ ...ports, pool, command, isOurs: (ip) => ip.startsWith('10.1.') },
    stored: (done) => void stored.push(done),
  });
  const events = async () =>
    (await store.read('tink.ev.default.lease.default')).events.map(({ event, metadata }) => [
      event.type,
      metadata.actor,
    ]);
  return { pool, desk, stored, events };
}

describe('a lease that an operator ends', () => {
  it('is over in the name of who ended it, in a commit of its own, and its address is free at once', async () => {
    const { pool, desk: made, stored, events } = await desk();
    await pool.submit([bind('10.1.0.5')]);
    expect(told(await made.end(wish('10.1.0.5')))).toEqual({
      ...holder('10.1.0.5'),
      ...{ was: 'bound', expiresAt: '2026-01-01T00:10:00.000Z' },
    });
    expect(await events()).toEqual([
      ['LeaseBound', 'boots'],
      ['LeaseEnded', 'user:ann'],
    ]);
    expect(stored.map((done) => 'ip' in done && done.ip)).toEqual(['10.1.0.5']);
    await pool.submit([bind('10.1.0.5', { mac: '02-00-00-00-00-02', clientId: '02' })]);
    expect(pool.holderOf('10.1.0.5', now)?.clientId).toBe('02');
  });
  it('may be a quarantine, and one of an address that the settings do not have any more', async () => {
    const { pool, desk: made } = await desk();
    const found = { ip: '10.1.0.6', subnet: 'lab', method: 'arp', answeredBy: null } as const;
    const quarantinedUntil = '2026-01-01T01:00:00.000Z';
    await pool.submit([{ type: 'FindConflict', ...found, quarantinedUntil, now }, bind('10.9.0.5')]);
    expect(told(await made.end(wish('10.1.0.6')))).toMatchObject({ was: 'conflict', mac: null });
    expect(told(await made.end(wish('10.9.0.5')))).toMatchObject({ was: 'bound', mac });
  });
  it('is refused with the reason, and nothing is stored', async () => {
    const { pool, desk: made, events, stored } = await desk();
    await pool.submit([bind('10.1.0.5')]);
    const other = { was: 'bound', mac: '02-00-00-00-00-02', clientId: null } as const;
    const asked = [
      wish('10.1.0.6'),
      wish('10.9.0.6'),
      wish('fd00::1'),
      wish('10.1.0.5', { seen: other }),
      wish('10.1.0.5', { seen: other, dryRun: true }),
    ];
    expect(await Promise.all(asked.map(async (request) => told(await made.end(request))))).toEqual([
      'none: 10.1.0.6 was never leased, and is in no quarantine',
      'outside: 10.9.0.6 is in no pool, and no hardware record has it',
      'outside: fd00::1 is in no pool, and no hardware record has it',
      `other: 10.1.0.5 is leased to ${formatMac(mac)} by now`,
      `other: 10.1.0.5 is leased to ${formatMac(mac)} by now`,
    ]);
    expect([await events(), stored]).toEqual([[['LeaseBound', 'boots']], []]);
  });
  it('is told of in a rehearsal, and goes on', async () => {
    const { pool, desk: made, events } = await desk();
    await pool.submit([bind('10.1.0.5')]);
    expect(told(await made.end(wish('10.1.0.5', { dryRun: true })))).toMatchObject({ ip: '10.1.0.5', mac });
    expect(await events()).toEqual([['LeaseBound', 'boots']]);
  });
  it('is not another’s that took the address while this was decided, and is ended once', async () => {
    const { pool, desk: made, events } = await desk();
    await pool.submit([bind('10.1.0.5')]);
    // All of one turn: each is decided on what the ones before it leave.
    const [released, , ended, again] = await Promise.all([
      pool.submit([{ type: 'ReleaseLease', ...holder('10.1.0.5') }]),
      pool.submit([bind('10.1.0.5', { mac: '02-00-00-00-00-02', clientId: '02' })]),
      made.end(wish('10.1.0.5')),
      made.end(wish('10.1.0.5')),
    ]);
    expect(released).toBeUndefined();
    const why = 'other: 10.1.0.5 is leased to 02:00:00:00:00:02 by now';
    expect([told(ended), told(again)]).toEqual([why, why]);
    const twice = await Promise.all([made.end(wish('10.1.0.5')), made.end(wish('10.1.0.5'))]);
    expect(twice.map((answer) => answer?.result)).toEqual(['ended', 'refused']);
    expect((await events()).filter(([type]) => type === 'LeaseEnded')).toHaveLength(1);
  });
  it('is told of once more to who did not hear the answer, and to nobody else', async () => {
    const { pool, desk: made, events } = await desk();
    await pool.submit([bind('10.1.0.5')]);
    const first = await made.end(wish('10.1.0.5', { key: 'k' }));
    expect(await made.end(wish('10.1.0.5', { key: 'k', dryRun: true }))).toEqual(first);
    expect(await made.end(wish('10.1.0.5', { key: 'k' }))).toEqual(first);
    for (const over of [{ key: 'l' }, { key: 'k', actor: 'user:bob' }, {}]) {
      expect(await made.end(wish('10.1.0.5', over))).toMatchObject({ reason: 'none' });
    }
    expect(await events()).toHaveLength(2);
  });
  it('is not answered for by a standby, nor by one whose term ends meanwhile', async () => {
    const leadership = { run: () => ({ close: () => Promise.resolve() }) };
    const post = { leadership, address: '10.1.0.1', log: silentLogger };
    const pool = await LeasePool.open(new InMemoryEventStore(), 'default', { post });
    const more = { ...ports, command, isOurs: () => true, stored: () => undefined };
    const standby = new EndDesk<SingleLeaseCommand>({ ...more, pool });
    expect(await standby.end(wish('10.1.0.5'))).toBeUndefined();
    const leased = await LeasePool.open(new InMemoryEventStore(), 'default');
    await leased.submit([bind('10.1.0.5')]);
    const believing = {
      ...{ name: 'default', isActive: true },
      rehearse: leased.rehearse.bind(leased),
      submit: pool.submit.bind(pool),
    };
    const late = new EndDesk<SingleLeaseCommand>({ ...more, pool: believing });
    expect(await late.end(wish('10.1.0.5'))).toBeUndefined();
    await pool.close();
  });
});

describe('an IPv6 lease that an operator ends', () => {
  it('is over, and counts no more', async () => {
    const store = new InMemoryEventStore();
    const pools = [{ name: 'lab', has: () => true }];
    const pool = await Lease6Pool.open(store, 'default', { pools });
    const desk6 = new EndDesk<Lease6Command>({
      ...{ ...ports, pool, command: (end) => ({ type: 'EndAddress', ...end }) },
      ...{ isOurs: (ip) => ip.startsWith('fd00::'), stored: () => undefined },
    });
    const lease = { hostname: '', leaseSeconds: 600, giaddr: null, clientState: 'selecting', now } as const;
    await pool.submit([{ type: 'BindAddress', holder: holder('fd00::5'), ...lease }]);
    expect(pool.usage('lab')).toEqual({ used: 1, quarantined: 0 });
    expect(told(await desk6.end(wish('fd00::5')))).toMatchObject({ was: 'bound', clientId: '0004aa:1' });
    expect([pool.usage('lab').used, pool.isFree('fd00::5', now)]).toEqual([0, true]);
    expect(told(await desk6.end(wish('fd00::5')))).toBe(
      `none: nobody has fd00::5: the lease of ${formatMac(mac)} is over`,
    );
    expect(told(await desk6.end(wish('10.1.0.5')))).toMatch(/^outside: /);
    expect((await store.read('tink.ev.default.lease.default-v6')).events.at(-1)).toMatchObject({
      ...{ event: { type: 'LeaseEnded' }, metadata: { actor: 'user:ann' } },
    });
  });
});
