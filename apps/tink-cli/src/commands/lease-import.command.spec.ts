import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ForeignLease, ImportAnswer } from '../api-types';
import { FakeTinkServer } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const pools = (...names: readonly string[]) =>
  fake.on('GET /api/dhcp-servers', {
    json: { items: names.map((leasePool) => ({ leasePool, active: null, others: [], answers: true, standbys: [] })) },
  });
/** Takes all but those that are named. */
const takes = (pool: string, passed: Readonly<Record<string, string>> = {}) =>
  fake.on(`POST /api/lease-pools/${pool}/import`, ({ body }) => {
    const { leases } = body as { readonly leases: readonly ForeignLease[] };
    const json: ImportAnswer = {
      leases: leases.map(({ ip, state }) => {
        if (passed[ip] !== undefined) return { ip, result: 'passed-over', reason: 'held', message: passed[ip] };
        return { ip, result: state === 'bound' ? 'bound' : 'quarantined' };
      }),
    };
    return { json };
  });
const posted = () => fake.asked.filter(({ method }) => method === 'POST');

const dnsmasq = [
  '1764234000 52:54:00:00:00:05 10.0.0.5 node-5 *',
  '0 52:54:00:00:00:06 10.0.0.6 * 01:06',
  'duid 00:01:02',
  '1764234000 10 2001:db8::5 * 00:03:00:01:52:54:00:99:00:01',
  '',
].join('\n');

describe('tink lease import', () => {
  it('hands the leases to the pool, and says what became of them', async () => {
    pools('default', 'default-v6');
    takes('default', { '10.0.0.6': '10.0.0.6 is leased to 52-54-00-00-00-09' });
    takes('default-v6');
    const ran = await runTink(['lease', 'import', 'leases'], { server, files: { leases: dnsmasq } });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(posted().map(({ url, body }) => [url, body])).toEqual([
      [
        '/api/lease-pools/default/import',
        {
          dryRun: false,
          leases: [
            {
              ...{ ip: '10.0.0.5', mac: '52-54-00-00-00-05', clientId: null, hostname: 'node-5' },
              ...{ state: 'bound', expiresAt: '2025-11-27T09:00:00.000Z' },
            },
            {
              ...{ ip: '10.0.0.6', mac: '52-54-00-00-00-06', clientId: '0106', hostname: '' },
              ...{ state: 'bound', expiresAt: null },
            },
          ],
        },
      ],
      ['/api/lease-pools/default-v6/import', expect.objectContaining({ dryRun: false })],
    ]);
    expect(ran.out).toMatch(
      /^\| 10\.0\.0\.6 +\| 52:54:00:00:00:06 \| +\| 2 +\| held +\| 10\.0\.0\.6 is leased to 52-54-00-00-00-09 \|$/m,
    );
    expect(ran.out).toContain(
      'in lease pool default: 2 bound, 0 extended, 0 quarantined\nalready here: 0; passed over: 1 (1 held)',
    );
  });
  it('says the same as JSON', async () => {
    pools('lab');
    takes('lab', { '10.0.0.5': 'no' });
    const args = ['lease', 'import', 'leases', '--dry-run', '-o', 'json'];
    const ran = await runTink(args, { server, files: { leases: dnsmasq } });
    expect(JSON.parse(ran.out)).toEqual({
      ...{ file: 'leases', from: 'dnsmasq', leasePool: 'lab', dryRun: true },
      ...{ bound: 1, extended: 0, quarantined: 0, already: 0, ended: 0 },
      passedOver: [
        {
          ...{ ip: '10.0.0.5', mac: '52:54:00:00:00:05', hostname: 'node-5', file: 'leases', line: 1 },
          ...{ reason: 'held', message: 'no' },
        },
        {
          ...{ ip: '2001:db8::5', mac: '52:54:00:99:00:01', hostname: '', file: 'leases', line: 4 },
          ...{ reason: 'outside', message: 'no boots answers DHCPv6' },
        },
      ],
    });
    expect(posted().map(({ body }) => (body as { readonly dryRun: boolean }).dryRun)).toEqual([true]);
  });
  it('reads what lies beside a file of Kea, as Kea does', async () => {
    pools('default');
    takes('default');
    const header = 'address,hwaddr,client_id,valid_lifetime,expire,hostname';
    const row = (n: number, life = 600) => `10.0.0.${n},52:54:00:00:00:0${n},,${life},1764234000,`;
    const files: Record<string, string> = {
      'kea.csv': [header, row(1, 0), row(4)].join('\n'),
      'kea.csv.1': [header, row(1), row(2)].join('\n'),
      'kea.csv.2': [header, row(3)].join('\n'),
    };
    const imported = async () => {
      const ran = await runTink(['lease', 'import', 'kea.csv', '-o', 'json'], { server, files });
      const { bound, ended } = JSON.parse(ran.out) as { readonly bound: number; readonly ended: number };
      return { bound, ended };
    };
    expect(await imported()).toEqual({ bound: 3, ended: 1 });
    files['kea.csv.completed'] = header;
    expect(await imported()).toEqual({ bound: 1, ended: 1 });
  });
  it('sends many in parts, and tells how far it is where somebody looks', async () => {
    pools('default');
    takes('default');
    const lines = Array.from(
      { length: 600 },
      (_, i) => `0 52:54:00:00:${hex(i >> 8)}:${hex(i & 255)} 10.0.${i >> 8}.${i & 255} * *`,
    );
    const told: string[] = [];
    const surrounding = {
      server,
      files: { leases: lines.join('\n') },
      onProgress: (line: string) => void told.push(line),
    };
    const ran = await runTink(['lease', 'import', 'leases'], surrounding);
    expect(ran.out).toContain('600 bound');
    expect(posted()).toHaveLength(3);
    expect(told).toEqual(['250 of 600 leases', '500 of 600 leases', '600 of 600 leases', '']);
  });
  it('says how far it came when the server stops, and that it may be run again', async () => {
    pools('default');
    let parts = 0;
    fake.on('POST /api/lease-pools/default/import', ({ body }) => {
      if (++parts > 1)
        return { status: 503, json: { error: { code: 'UNAVAILABLE', message: 'lease pool default: nobody' } } };
      const { leases } = body as { readonly leases: readonly ForeignLease[] };
      return { json: { leases: leases.map(({ ip }) => ({ ip, result: 'bound' })) } };
    });
    const lines = Array.from(
      { length: 300 },
      (_, i) => `0 52:54:00:00:${hex(i >> 8)}:${hex(i & 255)} 10.0.${i >> 8}.${i & 255} * *`,
    );
    const ran = await runTink(['lease', 'import', 'leases'], { server, files: { leases: lines.join('\n') } });
    expect(ran.code).toBe(3);
    expect(ran.err).toContain('250 of 300 leases were seen to before this; run it again for the others');
  });
  it('uses nothing of a file with a fault, and asks no server', async () => {
    const files = { leases: `${dnsmasq}x\n` };
    const ran = await runTink(['lease', 'import', 'leases'], { server, files });
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toContain(
      'nothing was imported, since leases cannot be used as a file of dnsmasq:\nleases:5: has 1 fields',
    );
    const json = await runTink(['lease', 'import', 'leases', '-o', 'json'], { server, files });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      file: 'leases',
      from: 'dnsmasq',
      faults: [{ file: 'leases', line: 5, field: '' }],
    });
    expect(fake.asked).toEqual([]);
  });
  it.each([
    [{}, 2, /cannot read leases: no such file/],
    [{ leases: 'hello' }, 2, /leases is like no file of leases that is known\nsay whose it is with --from/],
  ])('says what it cannot read: %j', async (files, code, message) => {
    const ran = await runTink(['lease', 'import', 'leases'], { server, files });
    expect(ran.code).toBe(code);
    expect(ran.err).toMatch(message);
  });
  it('wants to know which of several lease pools', async () => {
    pools('a', 'a-v6', 'b');
    takes('b');
    const files = { leases: dnsmasq.split('\n', 1).join() };
    const ran = await runTink(['lease', 'import', 'leases'], { server, files });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('there are several lease pools: a, b\nname one with --pool');
    const named = await runTink(['lease', 'import', 'leases', '--pool', 'b'], { server, files });
    expect(named.out).toContain('in lease pool b: 1 bound');
    pools();
    expect((await runTink(['lease', 'import', 'leases'], { server, files })).err).toContain('there is no lease pool');
  });
});

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
