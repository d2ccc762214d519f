import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { leaseItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

describe('a lease that is for good', () => {
  const forever = { leaseSeconds: 4_294_967_295, expiresAt: '2162-02-07T06:28:15.000Z' };
  it('never expires by tink lease history while it lasts', async () => {
    const tenure = {
      ...leaseItem(forever),
      until: forever.expiresAt,
      renewals: 0,
      giaddr: null,
      circuitId: null,
      remoteId: null,
    };
    const released = { ...tenure, state: 'released', until: '2026-01-01T00:05:00.000Z' };
    fake.on('GET /api/leases/node-1/history', { json: [released, tenure] });
    const { out } = await runTink(['lease', 'history', 'node-1'], { server });
    expect(out.match(/never/g)).toHaveLength(1);
    expect(out).toMatch(/ \d\d:05:00 +\| released/);
    // With the date where that is not today's.
    fake.on('GET /api/leases/node-2/history', { json: [{ ...released, boundAt: '2025-12-31T12:00:00.000Z' }] });
    const then = await runTink(['lease', 'history', 'node-2'], { server });
    expect(then.out).toMatch(/ 2025-12-31 \d\d:00:00 +\| \d\d:05:00 +\| released/);
  });
  it.each(['list', 'get'])('never expires by tink lease %s, and has its time in JSON', async (command) => {
    const lease = {
      ...leaseItem(forever),
      renewals: 0,
      giaddr: null,
      circuitId: null,
      remoteId: null,
      lastEvent: null,
    };
    fake.on('GET /api/leases', { json: [lease] });
    fake.on('GET /api/leases/192.168.1.5', { json: lease });
    const args = ['lease', command, ...(command === 'get' ? ['192.168.1.5'] : [])];
    const { out } = await runTink(args, { server });
    expect(out).toContain('| never');
    expect(out).not.toContain('2162');
    expect((await runTink([...args, '-o', 'json'], { server })).out).toContain(forever.expiresAt);
  });
});

describe('tink lease list', () => {
  const ips = ['10.1.0.100', '10.1.0.20', '10.10.0.1', '10.9.0.1', '2001:db8::1:0', '2001:db8::a', 'fd00:1::'];
  const rowsOf = (csv: string) =>
    csv
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((row) => row.split(',')[0]);
  const over = { state: 'bound', expiresAt: '2025-12-31T23:00:00.000Z', subnet: 'lab' } as const;

  it('is in the order of the addresses', async () => {
    fake.on('GET /api/leases', { json: ips.map((ip) => leaseItem({ ip })) });
    const { out } = await runTink(['lease', 'list', '-o', 'csv'], { server });
    expect(rowsOf(out)).toEqual([
      ...['10.1.0.20', '10.1.0.100', '10.9.0.1', '10.10.0.1'],
      ...['2001:db8::a', '2001:db8::1:0', 'fd00:1::'],
    ]);
  });

  it('has those of some states and subnets', async () => {
    const leases = [
      leaseItem({ ip: '10.1.0.1', subnet: 'lab' }),
      leaseItem({ ip: '10.1.0.2', ...over }),
      leaseItem({ ip: '10.1.0.3', state: 'conflict', subnet: 'lab' }),
      leaseItem({ ip: '10.2.0.1', state: 'conflict', subnet: 'rack' }),
    ];
    fake.on('GET /api/leases', { json: leases });
    const listed = async (...flags: readonly string[]) =>
      rowsOf((await runTink(['lease', 'list', '-o', 'csv', ...flags], { server })).out);
    expect(await listed('--state', 'bound')).toEqual(['10.1.0.1']);
    expect(await listed('--state', 'expired,conflict', '--subnet', 'lab')).toEqual(['10.1.0.2', '10.1.0.3']);
    expect(await listed('--subnet', 'rack')).toEqual(['10.2.0.1']);
    const refused = await runTink(['lease', 'list', '--state', 'free'], { server });
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.err).toContain('--state is one of bound, expired, released, ended, declined, conflict, got "free"');
  });

  it('says of an address in quarantine when that ends', async () => {
    const quarantinedUntil = '2026-01-02T00:05:00.000Z';
    const leases = [
      leaseItem({ ip: '10.1.0.1', state: 'declined', quarantinedUntil }),
      leaseItem({ ip: '10.1.0.2', state: 'released' }),
      leaseItem({ ip: '10.1.0.3', state: 'ended' }),
    ];
    fake.on('GET /api/leases', { json: leases });
    const { out } = await runTink(['lease', 'list', '-o', 'csv'], { server });
    expect(out).toMatch(/^10\.1\.0\.1,[^\n]*,declined,2026-01-02T00:05:00\.000Z,/m);
    expect(out).toMatch(/^10\.1\.0\.2,[^\n]*,released,,/m);
    expect(out).toMatch(/^10\.1\.0\.3,[^\n]*,ended,,/m);
  });

  it('says of what ran out that it is over, in JSON too', async () => {
    fake.on('GET /api/leases', { json: [leaseItem(over)] });
    const { out } = await runTink(['lease', 'list', '-o', 'json'], { server });
    expect(JSON.parse(out)).toMatchObject([{ state: 'expired' }]);
  });
});

describe('a lease that was ended', () => {
  const tenure = {
    ...leaseItem(),
    ...{ state: 'ended', endedBy: 'user:ann', until: '2026-01-01T00:05:00.000Z', renewals: 0 },
    ...{ giaddr: null, circuitId: null, remoteId: null },
  };
  it('says by whom, in its history and to who asks who had the address', async () => {
    fake.on('GET /api/leases/node-1/history', { json: [tenure] });
    expect((await runTink(['lease', 'history', 'node-1'], { server })).out).toMatch(/\| ended by ann +\|/);
    const json = await runTink(['lease', 'history', 'node-1', '-o', 'json'], { server });
    expect(JSON.parse(json.out)).toMatchObject([{ state: 'ended', endedBy: 'user:ann' }]);
    const holder = { ip: '192.168.1.5', at: '2026-01-01T00:06:00.000Z', holder: null, previous: tenure };
    fake.on('GET /api/leases/192.168.1.5/holder', { json: holder });
    const had = await runTink(['lease', 'who-had', '192.168.1.5'], { server });
    expect(had).toMatchObject({ code: 4 });
    expect(had.err).toContain('had it until 2026-01-01T00:05:00.000Z (ended by ann)');
  });
});
