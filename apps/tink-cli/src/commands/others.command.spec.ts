import { hardwareRegistered, hardwareUpdated, recorded } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { hardwareId, hardwareItem, leaseItem, machineItem } from '../testing/samples';
import { version } from '../version';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

describe('tink machine', () => {
  it('lists machines with their newest step', async () => {
    fake.on('GET /api/machines', { json: [machineItem()] });
    const { out } = await runTink(['machine', 'list'], { server });
    expect(out).toContain(
      '| node-1   | 08:00:27:00:00:01 | 192.168.1.5 | worker | docker 20.10, node v24 | 1m ago     |',
    );
  });

  it('shows one, as the server finds it', async () => {
    fake.on('GET /api/machines/NODE-1', { json: machineItem() });
    const { out, code } = await runTink(['machine', 'get', 'NODE-1'], { server });
    expect(code).toBe(0);
    expect(out).toContain('| dhcp   | 1m20s ago | lease 192.168.1.5      |');
    const json = await runTink(['machine', 'get', 'NODE-1', '-o', 'json'], { server });
    expect(JSON.parse(json.out)).toEqual(machineItem());
    expect(new Set(fake.asked.map(({ url }) => url))).toEqual(new Set(['/api/machines/NODE-1']));
  });

  it.each([
    [404, 'NOT_FOUND', 'machine node-2 not found; did you mean node-1?', 4],
    [400, 'INVALID', 'name: several machines are node-2: a, b', 1],
  ])('says what the server says of another name: %i', async (status, code, message, exit) => {
    fake.on('GET /api/machines/node-2', refusal(status, code, message));
    const ran = await runTink(['machine', 'get', 'node-2'], { server });
    expect(ran).toMatchObject({ code: exit, out: '', err: expect.stringContaining(message) });
  });
});

describe('tink lease list', () => {
  it('shows a lease that has run out as expired', async () => {
    fake.on('GET /api/leases', {
      json: [leaseItem(), leaseItem({ ip: '192.168.1.6', expiresAt: '2026-01-01T00:09:00.000Z' })],
    });
    const { out } = await runTink(['lease', 'list'], { server });
    expect(out).toContain('| 192.168.1.5 | 08:00:27:00:00:01 | node-1   | bound   | in 50m  |');
    expect(out).toContain('| 192.168.1.6 | 08:00:27:00:00:01 | node-1   | expired | 1m ago  |');
  });
});

describe('tink lease list of one machine', () => {
  it('shows its leases of both address families', async () => {
    fake.on('GET /api/leases', { json: [leaseItem(), leaseItem({ ip: '2001:db8::5' })] });
    const { out, code } = await runTink(['lease', 'list', '2001:db8::5'], { server });
    expect(code).toBe(0);
    expect(fake.asked.at(-1)?.url).toBe('/api/leases?of=2001%3Adb8%3A%3A5');
    expect(out).toMatch(/192\.168\.1\.5 .*\n.* 2001:db8::5 /);
  });
});

describe('tink machine logs', () => {
  const line = {
    ...{
      hardwareId,
      workflowId: null,
      at: '2026-01-01T00:09:20.000Z',
      mac: '08:00:27:00:00:01',
      address: '192.168.1.5',
    },
    ...{
      facility: 'daemon',
      severity: 'warning',
      sentAt: null,
      host: '',
      app: 'mount',
      pid: '7',
      line: 'no \u001b[31mdisk',
    },
  };

  it('shows time, severity, sender and text, without escape sequences', async () => {
    fake.on('GET /api/machines/node-1/logs', { lines: [line, { ...line, app: '', severity: 'info' }] });
    const { out, code } = await runTink(['machine', 'logs', 'node-1'], { server });
    expect(code).toBe(0);
    expect(out.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^00:09:20 {2}warning {2}mount\[7\]: no .*disk$/),
      expect.stringMatching(/^00:09:20 {2}info {5}no .*disk$/),
    ]);
    expect(out).not.toContain('\u001b');
  });

  it('says that there is nothing', async () => {
    fake.on('GET /api/machines/node-1/logs', { lines: [] });
    expect(await runTink(['machine', 'logs', 'node-1'], { server })).toMatchObject({
      ...{ code: 0, out: '', err: 'boots took no syslog of node-1\n' },
    });
  });

  it('refuses a time that is none', async () => {
    expect(await runTink(['machine', 'logs', 'node-1', '--since', 'noon'], { server })).toMatchObject({ code: 2 });
  });
});

describe('tink lease who-had and history', () => {
  const held = {
    ...{ ip: '192.168.1.5', mac: '08:00:27:00:00:01', hostname: 'node-1', hardwareId, giaddr: null, position: 7 },
    ...{ boundAt: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:09:00.000Z', state: 'released', renewals: 2 },
  };
  const at = '2026-01-01T00:10:00.000Z';
  const answer = (holder: object | null, previous: object | null) =>
    fake.on('GET /api/leases/192.168.1.5/holder', { json: { ip: '192.168.1.5', at, holder, previous } });

  it('shows the machine', async () => {
    answer({ ...held, state: 'bound' }, null);
    const { out, code } = await runTink(['lease', 'who-had', '192.168.1.5'], { server });
    expect(code).toBe(0);
    expect(out).toMatch(/ 08:00:27:00:00:01 \| node-1 +\| \d\d:\d\d:00 \| \d\d:\d9:00 \| bound \| 2 /);
  });

  it.each(['node-1', '300.1.1.1', '192.168.1', 'fe80::1%eth0', 'a:b'])(
    'refuses %s, which is no address',
    async (ip) => {
      expect(await runTink(['lease', 'who-had', ip], {})).toEqual({
        code: 2,
        out: '',
        err: `Error: invalid ip: ${ip}\nfor example 192.168.1.5\nSee "tink lease who-had --help".\n`,
      });
    },
  );

  it('names the last one when nobody has it, and exits with 4', async () => {
    answer(null, held);
    const { out, err, code } = await runTink(['lease', 'who-had', '192.168.1.5'], { server });
    expect({ out, code }).toEqual({ out: '', code: 4 });
    expect(err).toContain('no machine had 192.168.1.5 at 2026-01-01T00:10:00');
    expect(err).toContain('node-1 08:00:27:00:00:01 had it until 2026-01-01T00:09:00');
    expect(err).toContain('(released)');
    answer(null, null);
    expect((await runTink(['lease', 'who-had', '192.168.1.5', '-o', 'json'], { server })).code).toBe(4);
  });

  it('lists every tenure', async () => {
    fake.on('GET /api/leases/node-1/history', { json: [held, { ...held, state: 'bound', position: 9 }] });
    const { out } = await runTink(['lease', 'history', 'node-1', '-o', 'json'], { server });
    expect(JSON.parse(out)).toMatchObject([{ position: 7 }, { position: 9 }]);
  });
});

describe('tink read-models', () => {
  const item = { name: 'workflow-list', version: 2, served: 1, position: 90, rows: 7, failure: null, lag: 10 };
  it('shows how far they are, and what is being built', async () => {
    fake.on('GET /api/read-models', { json: [{ ...item, building: { position: 40 } }] });
    const { out } = await runTink(['read-models', 'list'], { server });
    expect(out).toContain('| workflow-list | 1 of 2  | 90       | 10  | 7    | at 40    |');
  });
  it('has those built that are named, or all', async () => {
    fake.on('POST /api/read-models/rebuild', { json: [{ ...item, building: null, failure: 'no room' }] });
    const { out, code } = await runTink(['read-models', 'rebuild', 'workflow-list'], { server });
    expect(code).toBe(0);
    expect(out).toContain('| no room  |');
    await runTink(['read-models', 'rebuild'], { server });
    expect(fake.asked.map(({ body }) => body)).toEqual([{ projections: ['workflow-list'] }, {}]);
  });
});

describe('tink worker token', () => {
  it('prints nothing but the token on standard output', async () => {
    fake.on(`POST /api/workers/${hardwareId}/token`, { json: { token: 't0k', expiresAt: '2026-01-01T01:10:00.000Z' } });
    expect(await runTink(['worker', 'token', hardwareId], { server })).toEqual({
      code: 0,
      out: 't0k\n',
      err: 'good for one use, runs out in 1h\n',
    });
    expect(JSON.parse((await runTink(['worker', 'token', hardwareId, '-o', 'json'], { server })).out)).toMatchObject({
      token: 't0k',
    });
  });
});

describe('tink hardware watch', () => {
  it('prints a record each time that it changes, from now on', async () => {
    fake.on(`GET /api/hardware/${hardwareId}`, { json: hardwareItem() });
    const events = [
      ...recorded('hardware', hardwareId, [hardwareRegistered()], 4),
      ...recorded('hardware', hardwareId, [hardwareUpdated()], 5),
    ];
    fake.events(events, true);
    const stop = new AbortController();
    const ran = await runTink(['hardware', 'watch', '--id', hardwareId], {
      server,
      signal: stop.signal,
      onLine: () => stop.abort(),
    });
    expect(ran.code).toBe(130);
    expect(ran.out).toBe(`${JSON.stringify(hardwareItem().hardware)}\n`);
    expect(fake.asked.map(({ url }) => url)).toEqual([
      `/api/hardware/${hardwareId}`,
      `/api/events?aggregate=hardware&after=4&id=${hardwareId}&follow=1`,
      `/api/hardware/${hardwareId}?minSeq=5`,
    ]);
    expect((await runTink(['hardware', 'watch'], { server })).err).toContain('requires at least one id');
  });
});

describe('tink version', () => {
  it('asks the server too, and says when it cannot', async () => {
    fake.on('GET /version', { json: { git_rev: 'abc', version: '1.2.3', service_name: 'tink-server' } });
    expect(await runTink(['version'], { server })).toEqual({
      code: 0,
      out: `tink         ${version}\ntink-server  1.2.3\n`,
      err: '',
    });
    expect(await runTink(['version', '--client'])).toEqual({ code: 0, out: `tink         ${version}\n`, err: '' });
    expect(await runTink(['--version'])).toEqual({ code: 0, out: `tink ${version}\n`, err: '' });
    const gone = await runTink(['version', '-o', 'json', '--server', 'http://127.0.0.1:1']);
    expect(gone.code).toBe(3);
    expect(JSON.parse(gone.out)).toEqual({ tink: version });
  });
});

describe('tink up', () => {
  it('hands everything after it on, and its exit code back', async () => {
    const seen: (readonly string[])[] = [];
    const provisioner = (args: readonly string[]) => {
      seen.push(args);
      return Promise.resolve(7);
    };
    expect((await runTink(['up', '--ip', '192.0.2.1', '--help', '-f'], { provisioner })).code).toBe(7);
    expect(seen).toEqual([['up', '--ip', '192.0.2.1', '--help', '-f']]);
  });
});

describe('tink dhcp check', () => {
  it('has the provisioner look at the file, and asks no server', async () => {
    const seen: (readonly string[])[] = [];
    const provisioner = (args: readonly string[]) => {
      seen.push(args);
      return Promise.resolve(1);
    };
    expect((await runTink(['dhcp', 'check', 'dhcp.yaml'], { provisioner })).code).toBe(1);
    expect((await runTink(['dhcp', 'check', 'dhcp.yaml', '-o', 'json'], { provisioner })).code).toBe(1);
    expect((await runTink(['dhcp', 'check', '-'], { provisioner })).code).toBe(1);
    expect(seen).toEqual([
      ['dhcp-check', 'dhcp.yaml'],
      ['dhcp-check', 'dhcp.yaml', '--json'],
      ['dhcp-check', '-'],
    ]);
    expect((await runTink(['dhcp', 'check'], { provisioner })).code).toBe(2);
    expect((await runTink(['dhcp', 'check', 'dhcp.yaml', '-o', 'yaml'], { provisioner })).code).toBe(2);
  });
});

describe('errors of the server', () => {
  it.each([
    [refusal(401, 'UNAUTHORIZED', 'user name and password needed'), 3, /--user and --password/],
    [refusal(403, 'FORBIDDEN', 'not you'), 3, /do not allow/],
    [refusal(503, 'UNAVAILABLE', 'the log is full'), 3, /nothing was changed/],
    [{ text: '<html>no such page</html>', status: 404 }, 4, /Is this the address of tink-server\?/],
    [{ text: 'hello', status: 200 }, 1, /did not answer with JSON but with "hello"/],
    [{ text: '{"items":3}', status: 200 }, 1, /did not answer with a list/],
    [refusal(500, 'INTERNAL', 'internal error; see the log'), 1, /^Error: internal error; see the log\n$/],
  ])('%j', async (answer, code, message) => {
    fake.on('GET /api/machines', answer);
    const ran = await runTink(['machine', 'list'], { server });
    expect(ran.code).toBe(code);
    expect(ran.err).toMatch(message);
    expect(ran.out).toBe('');
  });

  it('never lets the server write on the terminal', async () => {
    fake.on('GET /api/machines', refusal(400, 'INVALID', 'bad \u001b[2J thing'));
    expect((await runTink(['machine', 'list'], { server })).err).toBe('Error: bad \\x1b[2J thing\n');
  });
});

describe('tink lease get, pools and servers', () => {
  const service = { active: { address: '10.1.0.1', epoch: 2, since: '2026-01-01T00:00:00.000Z' }, answers: true };
  const pool = {
    ...{
      id: 'default/lab',
      leasePool: 'default',
      pool: 'lab',
      subnet: 'lab',
      ranges: ['10.1.0.10-10.1.0.19'],
      size: 10,
    },
    ...{ used: 8, quarantined: 1, free: 1, utilisation: 90, definedAt: '2026-01-01T00:00:00.000Z', position: 3 },
    crossed: { at: '2026-01-01T00:09:00.000Z', level: 90, before: 80, used: 9, size: 10 },
    service: { ...service, standbys: ['10.1.0.2'] },
  };

  it('shows one lease, and where its machine is plugged in', async () => {
    const lease = {
      ...leaseItem({ clientId: 'ff0001' }),
      ...{ giaddr: '10.1.0.3', circuitId: '4769302f3132', remoteId: null, renewals: 2, at: '2026-01-01T00:10:00.000Z' },
      lastEvent: { type: 'LeaseRenewed', at: '2026-01-01T00:09:00.000Z', position: 9, text: 'DHCP lease renewed' },
    };
    fake.on('GET /api/leases/node-1', { json: lease });
    const { out, code } = await runTink(['lease', 'get', 'node-1'], { server });
    expect(code).toBe(0);
    expect(out).toMatch(/\| Circuit ID +\| Gi0\/12 \(4769302f3132\) +\|/);
    expect(out).toMatch(/\| Last Event +\| DHCP lease renewed \(LeaseRenewed, 1m ago\) +\|/);
    expect(out).not.toContain('Remote ID');
    const json = await runTink(['lease', 'get', 'node-1', '-o', 'json'], { server });
    expect(JSON.parse(json.out)).toEqual(lease);
  });

  it('exits with 4 when there is no such lease', async () => {
    fake.on('GET /api/leases/10.1.0.9', { status: 404, json: { error: { code: 'NOT_FOUND', message: 'no lease' } } });
    expect((await runTink(['lease', 'get', '10.1.0.9'], { server })).code).toBe(4);
  });

  it('shows how full pools are and who serves them', async () => {
    fake.on('GET /api/lease-pools', {
      json: [
        pool,
        { ...pool, pool: 'b', service: { ...service, answers: false, standbys: [] } },
        { ...pool, pool: 'c', crossed: { ...pool.crossed, level: 100, before: 90 } },
      ],
    });
    const { out } = await runTink(['lease', 'pools'], { server });
    const rows = out.split('\n').map((row) => row.replace(/^\W+|\W+$/g, '').replace(/[\s|]+/g, ' '));
    expect(rows).toContain('lab 10.1.0.10-10.1.0.19 10 8 1 1 90 % over 90 %, 1m ago 10.1.0.1, standby 10.1.0.2');
    expect(rows).toContain('b 10.1.0.10-10.1.0.19 10 8 1 1 90 % over 90 %, 1m ago 10.1.0.1 (does not answer');
    expect(out).toContain('| full, 1m ago ');
    const { out: yaml } = await runTink(['lease', 'pools', '-o', 'yaml'], { server });
    expect(yaml).toContain('utilisation: 90');
  });

  it('says what no pool means', async () => {
    fake.on('GET /api/lease-pools', { json: [] });
    expect((await runTink(['lease', 'pools'], { server })).err).toContain('only machines with a hardware record');
  });

  it('shows ours and other DHCP servers', async () => {
    const other = {
      ...{ server: '10.1.0.7', sign: 'offer', clientMac: '02-00-00-00-00-01', offered: '10.1.0.77' },
      ...{ seenAt: '2026-01-01T00:09:00.000Z', firstSeenAt: '2026-01-01T00:00:00.000Z' },
    };
    fake.on('GET /api/dhcp-servers', {
      json: [{ leasePool: 'default', others: [other], ...pool.service, position: 1 }],
    });
    const { out } = await runTink(['lease', 'servers', '-o', 'csv'], { server });
    expect(out.trim().split(/\r?\n/).slice(1)).toEqual([
      '10.1.0.1,active,2026-01-01T00:00:00.000Z,,,default',
      '10.1.0.2,standby,,,,default',
      '10.1.0.7,other,2026-01-01T00:00:00.000Z,2026-01-01T00:09:00.000Z,"offer to 02:00:00:00:00:01, 10.1.0.77",default',
    ]);
  });
});
