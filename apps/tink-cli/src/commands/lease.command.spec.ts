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
    expect(out).toMatch(/ago +\| released/);
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
