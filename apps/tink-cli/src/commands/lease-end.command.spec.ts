import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EndedItem, LeaseItem } from '../api-types';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink, type Surrounding } from '../testing/run-tink';
import { leaseItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const held: EndedItem = {
  ...{ ip: '10.0.0.5', mac: '52:54:00:00:00:05', clientId: '0105', hardwareId: null, subnet: 'lab', origin: 'pool' },
  ...{ was: 'bound', expiresAt: '2026-01-01T01:00:00.000Z', leasePool: 'default', dryRun: false },
};
const seen = { was: 'bound', mac: '52:54:00:00:00:05', clientId: '0105' };
/** The server has this one. */
const has = (lease: EndedItem) =>
  fake.on(`POST /api/leases/${encodeURIComponent(lease.ip)}/end`, ({ body }) => {
    const { dryRun = false } = body as { readonly dryRun?: boolean };
    return { json: { ...lease, dryRun } };
  });
const posted = () => fake.asked.flatMap(({ method, url, body }) => (method === 'POST' ? [[url, body]] : []));
const end = (args: readonly string[], surrounding: Surrounding = {}) =>
  runTink(['lease', 'end', ...args], { server, ...surrounding });
const leases = (...rows: readonly Partial<LeaseItem>[]) =>
  fake.on('GET /api/leases', { json: rows.map((row) => leaseItem({ expiresAt: held.expiresAt, ...row })) });

describe('tink lease end', () => {
  it('asks the person at the terminal, and then ends what was shown', async () => {
    has(held);
    const questions: string[] = [];
    const answering = (answer: string) => ({ answer: (question: string) => (questions.push(question), answer) });
    for (const answer of ['', 'n\n', 'yesterday']) {
      expect(await end(['10.0.0.5'], answering(answer))).toEqual({ code: 1, out: '', err: 'nothing was ended\n' });
    }
    expect(posted().map(([, body]) => body)).toEqual(Array.from({ length: 3 }, () => ({ dryRun: true })));
    expect(questions[0]).toContain(
      '10.0.0.5 is leased to 52:54:00:00:00:05 until 2026-01-01T01:00:00.000Z, and may be',
    );
    for (const answer of ['y', ' YES ']) {
      const ran = await end(['10.0.0.5'], answering(answer));
      expect(ran).toMatchObject({ code: 0, err: '' });
      expect(ran.out).toBe(
        'Ended\t10.0.0.5\tthe lease of 52:54:00:00:00:05, which would have lasted until 2026-01-01T01:00:00.000Z\n',
      );
    }
    expect(posted().at(-1)).toEqual(['/api/leases/10.0.0.5/end', { pool: 'default', seen }]);
  });
  it('ends nothing of a machine where nobody can be asked, without --yes', async () => {
    has(held);
    const refused = await end(['10.0.0.5']);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toMatch(/may be in use\nend it all the same with --yes/);
    expect(posted()).toHaveLength(1);
    const ran = await end(['10.0.0.5', '--yes', '-o', 'json']);
    expect(JSON.parse(ran.out)).toEqual(held);
    expect(ran.err).toBe('');
  });
  it('ends a quarantine unasked, of either family', async () => {
    has({ ...held, ip: 'fd00::5', was: 'declined', leasePool: 'default-v6' });
    expect((await end(['FD00::0005'])).out).toMatch(/^Ended\tfd00::5\tits quarantine, which would have lasted until/);
    expect(posted()).toEqual([
      ['/api/leases/fd00%3A%3A5/end', { dryRun: true }],
      ['/api/leases/fd00%3A%3A5/end', { pool: 'default-v6', seen: { ...seen, was: 'declined' } }],
    ]);
  });
  it('says of a lease that never ends that it is for good', async () => {
    has({ ...held, expiresAt: '2162-02-07T06:28:15.000Z' });
    expect((await end(['10.0.0.5'])).err).toContain('is leased to 52:54:00:00:00:05 for good, and may be in use');
    expect((await end(['10.0.0.5', '-y'])).out).toMatch(/, which would have lasted for good\n$/);
  });
  it('says that a reservation stays one', async () => {
    has({ ...held, origin: 'reservation', hardwareId: 'h5' });
    expect((await end(['10.0.0.5', '-y'])).out).toContain('Reserved\t10.0.0.5\tby hardware record h5');
  });
  it('finds the lease of a machine, and not what another card of it has, nor what is over', async () => {
    leases(
      { ip: '10.0.0.4', mac: '52:54:00:00:00:05', state: 'released' },
      { ip: '10.0.0.3', mac: '52:54:00:00:00:05', expiresAt: '2026-01-01T00:09:59.000Z' },
      { ip: '10.0.0.2', mac: '52:54:00:00:00:05', state: 'declined', quarantinedUntil: '2026-01-02T00:00:00.000Z' },
      { ip: '10.0.0.5', mac: '52:54:00:00:00:05' },
      { ip: '10.0.0.6', mac: '52:54:00:00:00:06' },
    );
    has(held);
    expect(await end(['52-54-00-00-00-05', '--yes'])).toMatchObject({ code: 0, err: '' });
    expect(posted().at(-1)?.[0]).toBe('/api/leases/10.0.0.5/end');
  });
  it('takes the address that rests because of a machine when it has no other', async () => {
    const quarantinedUntil = '2026-01-02T00:00:00.000Z';
    leases(
      { ip: '10.0.0.2', state: 'declined', quarantinedUntil },
      { ip: '10.0.0.3', state: 'ended', quarantinedUntil },
    );
    has({ ...held, ip: '10.0.0.2', was: 'declined' });
    expect((await end(['node-1'])).out).toContain('its quarantine');
  });
  it('wants to know which one of several, by its address or its subnet', async () => {
    leases({ ip: '10.0.0.5', subnet: 'lab' }, { ip: '10.1.0.5', subnet: 'office' }, { ip: 'fd00::5', subnet: '' });
    const refused = await end(['node-1', '--yes']);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(
      'node-1 has several addresses: 10.0.0.5 (lab), 10.1.0.5 (office), fd00::5\nname one of them, or its --subnet',
    );
    has({ ...held, ip: '10.1.0.5', subnet: 'office' });
    expect((await end(['node-1', '--yes', '--subnet', 'office'])).out).toContain('Ended\t10.1.0.5');
    expect(await end(['node-1', '--yes', '--subnet', 'hall'])).toMatchObject({
      ...{
        code: 4,
        err: 'Error: node-1 holds no lease in subnet hall, and no address is in quarantine for it\n',
      },
    });
    has(held);
    const other = await end(['10.0.0.5', '--yes', '--subnet', 'office']);
    expect(other).toMatchObject({ code: 4 });
    expect(other.err).toContain('10.0.0.5 is of subnet lab, not of office');
    expect(posted().filter(([, body]) => !(body as { dryRun?: boolean }).dryRun)).toHaveLength(1);
  });
  it.each([
    [404, 'NOT_FOUND', 'nobody has 10.0.0.5: the lease of 52:54:00:00:00:05 is over', 4],
    [409, 'CONFLICT', '10.0.0.5 is leased to 52-54-00-00-00-06 by now', 1],
    [400, 'INVALID', '10.0.0.5 is in use in several lease pools: name one of a, b', 1],
    [401, 'UNAUTHORIZED', 'user name and password needed (HTTP Basic)', 3],
    [503, 'UNAVAILABLE', 'lease pool default: no boots gives out leases for it', 3],
  ])('says why not: %i', async (status, code, message, exitCode) => {
    fake.on('POST /api/leases/10.0.0.5/end', refusal(status, code, message));
    const ran = await end(['10.0.0.5', '--pool', 'b', '--yes']);
    expect(ran.code).toBe(exitCode);
    expect(ran.err).toContain(message);
    expect(posted()).toEqual([['/api/leases/10.0.0.5/end', { pool: 'b', dryRun: true }]]);
  });
});
