import { randomUUID } from 'node:crypto';
import type { DhcpServiceEvent, LeaseEvent, NetbootOffered } from '@tinkerbell/events';
import { type ImportRequest, LeaseImports, NatsBus, PoolRoll, subjects } from '@tinkerbell/messaging';
import { leaseBound, leaseReleased, netbootOffered } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machine } from '../testing/fixtures';
import { Harness } from '../testing/harness';
import type { Failure } from '../testing/rest-client';

let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.close());

const get = async <T>(path: string): Promise<T> => (await harness.rest().get<T>(path)).body;
const failure = async (path: string) => {
  const { status, body } = await harness.rest().get<Failure>(path);
  return { status, ...body.error };
};
/** A moment that no commit shares: times of the log have milliseconds. */
async function moment(): Promise<string> {
  const tick = async () => {
    const began = Date.now();
    while (Date.now() <= began + 1) await new Promise((resolve) => setImmediate(resolve));
  };
  await tick();
  const now = new Date().toISOString();
  await tick();
  return now;
}

/** As boots writes it. */
async function append(id: string, event: LeaseEvent | DhcpServiceEvent | NetbootOffered): Promise<number> {
  const stream = subjects.stream(event.type === 'NetbootOffered' ? 'boot' : 'lease', id);
  const { head } = await harness.store.read(stream);
  const metadata = { id: randomUUID(), actor: 'service:boots', correlationId: 'c' };
  const appended = await harness.store.append(stream, [event], { expected: head, metadata });
  await get(`/api/leases?minSeq=${appended.head.position}`);
  return appended.head.position;
}

describe('the history of leases', () => {
  const [firstMac, secondMac] = ['02-00-00-00-00-01', '02-00-00-00-00-02'];
  const moments: { held: string; released: string; position: number } = { held: '', released: '', position: 0 };

  beforeAll(async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const lease = (mac: string) => leaseBound({ mac, ip: '10.9.0.5', hostname: 'Kiosk', expiresAt: soon });
    moments.position = await append('default', lease(firstMac));
    moments.held = await moment();
    await append('default', leaseReleased({ mac: firstMac, ip: '10.9.0.5' }));
    moments.released = await moment();
    await append('default', lease(secondMac));
  });

  it('tells who had an address, by time and by position', async () => {
    const [one, two] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
    const who = (at: string | number) => get(`/api/leases/10.9.0.5/holder?at=${at}`);
    expect(await who(moments.held)).toMatchObject({ holder: { mac: one }, previous: null, at: moments.held });
    expect(await who(moments.position)).toMatchObject({ holder: { mac: one } });
    expect(await who(moments.position - 1)).toMatchObject({ holder: null, previous: null });
    expect(await who(moments.released)).toMatchObject({ holder: null, previous: { mac: one, state: 'released' } });
    expect(await get('/api/leases/10.9.0.5/holder')).toMatchObject({ holder: { mac: two }, previous: { mac: one } });
  });

  it.each([
    ['10.9.0.5', 2],
    ['kiosk', 2],
    ['02:00:00:00:00:01', 1],
  ])('of %s has every tenure', async (name, count) => {
    expect(await get(`/api/leases/${name}/history`)).toHaveLength(count);
    expect(await get(`/api/leases/${name}/history?at=${moments.held}`)).toMatchObject([
      { state: 'bound', ip: '10.9.0.5' },
    ]);
  });

  it('tells one lease with all that is known of it', async () => {
    const relayed = { ip: '10.9.0.5', subnet: '', giaddr: '10.9.0.1', circuitId: '4769302f3132', remoteId: null };
    await append('default', { type: 'LeaseRelayed', v: 1, data: relayed });
    const lease = {
      ...{ ip: '10.9.0.5', mac: '02:00:00:00:00:02', state: 'bound', hostname: 'Kiosk', renewals: 0 },
      ...{ giaddr: '10.9.0.1', circuitId: '4769302f3132', remoteId: null },
      lastEvent: { type: 'LeaseRelayed', text: 'relay 10.9.0.1 says where 10.9.0.5 is plugged in: circuit Gi0/12' },
    };
    for (const name of ['10.9.0.5', '02-00-00-00-00-02', 'KIOSK']) {
      expect(await get(`/api/leases/${name}`)).toMatchObject(lease);
    }
    expect(await get(`/api/leases/10.9.0.5?at=${moments.held}`)).toMatchObject({
      ...{ mac: '02:00:00:00:00:01', circuitId: null, at: moments.held, lastEvent: { type: 'LeaseBound' } },
    });
    expect(await get(`/api/leases/10.9.0.5?at=${moments.released}`)).toMatchObject({ state: 'released' });
  });

  it('finds a lease by client id, and asks which one is meant of several', async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const named = { mac: '02-00-00-00-00-09', clientId: 'ff0001', hostname: '', hardwareId: null, expiresAt: soon };
    await append('default', leaseBound({ ...named, ip: '10.9.0.9' }));
    expect(await get('/api/leases/FF:00:01')).toMatchObject({ ip: '10.9.0.9', clientId: 'ff0001' });
    await append('default', leaseBound({ ...named, ip: 'fd00::9', clientId: 'ff0001:1' }));
    expect(await get('/api/leases/ff0001:1')).toMatchObject({ ip: 'fd00::9' });
    const several = await failure('/api/leases/02:00:00:00:00:09');
    expect(several).toMatchObject({ status: 400, field: 'name' });
    expect(several.message).toContain('name one of fd00::9, 10.9.0.9');
  });

  it('of one machine are told together, of both address families, by either address', async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const machine = { hardwareId: '7d1c3f5e-0000-4000-8000-0000000000aa', hostname: 'twin', expiresAt: soon };
    const four = { ...machine, mac: '02-00-00-00-00-0a', ip: '10.9.0.10' };
    await append('default-v6', leaseBound({ ...four, ip: 'fd00::a', clientId: '0004aa:1' }));
    await append('default', leaseBound(four));
    await append('default-v6', leaseBound({ ...four, mac: null, ip: 'fd00::b', clientId: '0004bb:1' }));
    for (const name of ['10.9.0.10', 'FD00:0:0::000a', 'fd00::b', '02:00:00:00:00:0a', 'twin', machine.hardwareId]) {
      const leases = (await get(`/api/leases?of=${name}`)) as readonly { readonly ip: string }[];
      expect(leases.map(({ ip }) => ip)).toEqual(['10.9.0.10', 'fd00::b', 'fd00::a']);
    }
    expect(await get('/api/leases?of=fd00::a')).toMatchObject([{ mac: '02:00:00:00:00:0a' }, {}, {}]);
    expect(await get('/api/leases/FD00::A/holder')).toMatchObject({ ip: 'fd00::a', holder: { hostname: 'twin' } });
    expect(await get('/api/leases/twin/history')).toHaveLength(3);
    await append(
      'default-v6',
      leaseBound({ ...four, hostname: '', hardwareId: null, ip: 'fd00::c', clientId: '0004aa:2' }),
    );
    await append('default-v6', leaseBound({ ...four, mac: null, hostname: '', ip: 'fd00::d', clientId: '0004cc:1' }));
    const tenures = (await get('/api/leases/twin/history')) as readonly { readonly ip: string }[];
    expect(tenures.map(({ ip }) => ip)).toEqual(['fd00::a', '10.9.0.10', 'fd00::b', 'fd00::c', 'fd00::d']);
    expect(await failure('/api/leases?of=fd00::99')).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it('says what it does not know', async () => {
    expect(await failure('/api/leases/10.9.0.99')).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(await failure('/api/leases/10.9.0.5?at=never')).toMatchObject({ status: 400, field: 'at' });
    expect(await failure('/api/leases/10.9.0.6/history')).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(await failure('/api/leases/kiosk/holder')).toMatchObject({ status: 400, field: 'ip' });
  });
});

describe('leases of another server', () => {
  const path = '/api/lease-pools/lab/import';
  const lease = {
    ip: '10.8.0.5',
    mac: '52-54-00-12-34-56',
    clientId: '01',
    hostname: 'n',
    state: 'bound',
    expiresAt: null,
  };
  const refused = async (body: unknown, where = path) => {
    const { status, body: answer } = await harness.rest().post<Failure>(where, body);
    return { status, ...answer.error };
  };

  it('are nobody’s to take while no boots gives out leases', async () =>
    expect(await refused({ leases: [lease] })).toEqual({
      ...{ status: 503, code: 'UNAVAILABLE', message: 'lease pool lab: no boots gives out leases for it' },
    }));
  it('go to the boots of the lease pool, in the name of who sends them', async () => {
    const bus = await NatsBus.connect({ ...harness.nats.engine, name: 'boots' });
    const asked: ImportRequest[] = [];
    const stop = new LeaseImports(bus.connection).answer('lab', (request) => {
      asked.push(request);
      if (request.leases.length === 0) return Promise.reject(new Error('the disk is full'));
      return Promise.resolve({ leases: request.leases.map(({ ip }) => ({ ip, result: 'bound' })) });
    });
    await bus.connection.flush();
    const rest = harness.rest('ann:secret');
    const short = { ip: '2001:DB8::5', clientId: '00030001525400990001:0000000a' };
    expect((await rest.post(path, { leases: [lease, short], dryRun: true })).body).toEqual({
      leases: [
        { ip: '10.8.0.5', result: 'bound' },
        { ip: '2001:db8::5', result: 'bound' },
      ],
    });
    const filled = { mac: null, hostname: '', state: 'bound', expiresAt: null };
    expect(asked).toEqual([
      { actor: 'user:ann', dryRun: true, leases: [lease, { ...short, ...filled, ip: '2001:db8::5' }] },
    ]);
    expect(await refused({ leases: [] })).toMatchObject({
      ...{ status: 503, message: 'boots could not store the leases: Error: the disk is full' },
    });
    stop();
    await bus.close();
  });
  it('are refused with every fault', async () => {
    const { status, faults } = await refused({
      leases: [lease, { ip: '10.8.0', mac: 'aa', clientId: 'x', state: 'free', expiresAt: 'soon', vlan: 1 }],
      dryRun: 'no',
    });
    expect(status).toBe(400);
    expect(new Set(faults?.map((fault) => fault.path))).toEqual(
      new Set(['dryRun', ...['ip', 'mac', 'clientId', 'state', 'expiresAt', 'vlan'].map((key) => `leases.1.${key}`)]),
    );
    const many = Array.from({ length: 251 }, () => lease);
    expect(await refused({ leases: many })).toMatchObject({ status: 400, field: 'leases' });
    expect(await refused({ leases: [] }, '/api/lease-pools/a.b/import')).toMatchObject({ status: 404 });
  });
});

describe('the pools of leases', () => {
  const pool = { subnet: 'lab', pool: 'lab', size: 4 };
  const moments = { before: 0, defined: 0 };

  beforeAll(async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    moments.before = await harness.store.lastPosition();
    moments.defined = await append('lab', {
      ...{ type: 'PoolDefined', v: 1 },
      data: { ...pool, ranges: ['10.8.0.1-10.8.0.4'] },
    });
    for (const n of [1, 2, 3, 5]) await append('lab', leaseBound({ ip: `10.8.0.${n}`, expiresAt: soon }));
    await append('lab', leaseReleased({ ip: '10.8.0.3' }));
    const found = { ip: '10.8.0.4', subnet: 'lab', method: 'arp', answeredBy: null, quarantinedUntil: soon } as const;
    await append('lab', { type: 'LeaseConflictFound', v: 1, data: found });
    await append('lab', { type: 'PoolTaken', v: 1, data: { address: '10.8.0.254', epoch: 3 } });
    const full = { ...pool, level: 80, before: 0, used: 4 } as const;
    await append('lab', { type: 'PoolUtilisationCrossed', v: 1, data: full });
  });

  it('say what is left in them, now and then', async () => {
    expect(await get('/api/lease-pools')).toMatchObject([
      {
        ...{ id: 'lab/lab', ranges: ['10.8.0.1-10.8.0.4'], used: 2, quarantined: 1, free: 1, utilisation: 75 },
        ...{ crossed: { level: 80, before: 0, used: 4 } },
        service: { active: { address: '10.8.0.254', epoch: 3 }, answers: false, standbys: [] },
      },
    ]);
    expect(await get(`/api/lease-pools?at=${moments.defined}`)).toMatchObject([
      { used: 0, quarantined: 0, free: 4, crossed: null, service: { active: null, answers: null, standbys: null } },
    ]);
    expect(await get(`/api/lease-pools?at=${moments.before}`)).toEqual([]);
    expect(await get('/api/lease-pools?limit=1')).toMatchObject({ items: [{ id: 'lab/lab' }] });
    expect(await failure('/api/lease-pools?limit=0')).toMatchObject({ status: 400, field: 'limit' });
  });

  it('say who serves them, by the word of those that do', async () => {
    const bus = await NatsBus.connect({ ...harness.nats.engine, name: 'boots' });
    const roll = new PoolRoll(bus.connection);
    const members = [
      { pool: 'lab', role: 'active', address: '10.8.0.254' },
      { pool: 'lab', role: 'standby', address: '10.8.0.253' },
      { pool: 'other', role: 'active', address: '10.8.0.252' },
    ] as const;
    members.forEach((member) => roll.answer(() => member));
    await bus.connection.flush();
    expect(await get('/api/lease-pools')).toMatchObject([{ service: { answers: true, standbys: ['10.8.0.253'] } }]);
    await bus.close();
  });

  it('come with the DHCP servers that are none of ours', async () => {
    const found = { server: '10.8.0.7', sign: 'offer', clientMac: '02-00-00-00-00-01', offered: '10.8.0.77' } as const;
    const seenAt = '2026-01-01T00:00:00.000Z';
    const position = await append('lab', { type: 'DhcpServerFound', v: 1, data: { ...found, seenAt } });
    const servers = [{ leasePool: 'lab', others: [{ ...found, seenAt, firstSeenAt: seenAt }] }];
    expect(await get('/api/dhcp-servers')).toMatchObject(servers);
    expect(await get(`/api/dhcp-servers?at=${position - 1}`)).toMatchObject([{ leasePool: 'lab', others: [] }]);
  });

  it('are of IPv6 too', async () => {
    const [soon, subnet] = [new Date(Date.now() + 3_600_000).toISOString(), 'lab6'];
    const data = { subnet, pool: 'lab6', ranges: ['fd08::a000/116'], size: 4096 };
    await append('lab-v6', { type: 'PoolDefined', v: 1, data });
    for (const n of [1, 2, 3]) {
      const holder = { ip: `fd08::a00${n}`, subnet, origin: 'pool', clientId: `0004aa:${n}` } as const;
      await append('lab-v6', leaseBound({ ...holder, expiresAt: soon }));
    }
    await append('lab-v6', leaseReleased({ ip: 'fd08::a003' }));
    const pools = (await get('/api/lease-pools')) as readonly { readonly id: string }[];
    expect(pools.find(({ id }) => id === 'lab-v6/lab6')).toMatchObject({ used: 2, quarantined: 0, free: 4094 });
  });
});

describe('without NATS', () => {
  it('tells what the log said of pools, and that nobody can be asked', async () => {
    await harness.nats.server.kill();
    const { status, body } = await harness.rest().get<{ service: object }[]>('/api/lease-pools');
    expect(status).toBe(200);
    for (const { service } of body) expect(service).toMatchObject({ answers: null, standbys: null });
    expect(body.length).toBeGreaterThan(0);
    await harness.nats.server.restart();
  });
});

it('the lease of an operating system is no boot of its machine, and is told beside them', async () => {
  const record = machine(70);
  expect((await harness.rest().post('/api/hardware', record)).status).toBeLessThan(300);
  const [id, mac, expiresAt] = [record.id, record.mac.replaceAll(':', '-'), '2126-01-01T00:00:00.000Z'];
  const then = await append('default', leaseBound({ hardwareId: id, mac, ip: '10.0.0.70', expiresAt }));
  for (const name of [id, record.mac])
    expect(await get(`/api/machines/${name}/boots`)).toMatchObject({
      ...{ attempts: [], leases: [{ ip: '10.0.0.70', leaseSeconds: 86_400, expiresAt }] },
    });
  await append(mac, netbootOffered({ mac, hardwareId: id }));
  expect(await get(`/api/machines/${id}/boots`)).toMatchObject({ attempts: [{ steps: [{ step: 'dhcp' }] }] });
  expect(await get(`/api/machines/${id}/boots?at=${then}`)).toMatchObject({ attempts: [], leases: [{}] });
});
