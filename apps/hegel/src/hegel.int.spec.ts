import { get as httpGet } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '@tinkerbell/config';
import type { HardwareRow, LeaseRow } from '@tinkerbell/projections';
import { HegelConfig } from './hegel.config';
import { hardwareRow, MemoryHardware } from './rows.testing';
import { startHegel, type RunningHegel } from './start-hegel';

const rows = new MemoryHardware(hardwareRow('hegel-tinkerbellKantEC2.json'));
let fault: string | undefined;
let hegel: RunningHegel;

const config = (more: Readonly<Record<string, string>> = {}) =>
  loadConfig(HegelConfig, {
    HEGEL_HTTP_ADDRESS: '127.0.0.1',
    HEGEL_HTTP_PORT: '0',
    TRUSTED_PROXIES: '127.0.0.1',
    HEGEL_INSTANCE_URLS: 'true',
    GIT_REV: 'abc',
    ...more,
  });

async function get(path: string, init: RequestInit = {}) {
  const headers = { 'x-forwarded-for': '192.168.1.5' };
  const response = await fetch(`http://127.0.0.1:${hegel.port}${path}`, { headers, ...init });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

beforeAll(async () => {
  hegel = await startHegel(config(), { hardware: rows, health: { fault: () => fault } });
});
afterAll(() => hegel.close());

describe('hegel over HTTP', () => {
  it('serves the machine behind the address', async () => {
    expect(await get('/2009-04-04/meta-data/hostname/')).toEqual({
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: 'tink-provisioner',
    });
    const metadata = await get('/metadata');
    expect(metadata.type).toBe('application/json; charset=utf-8');
    expect(JSON.parse(metadata.body)).toMatchObject({
      id: '7c9a5711-aadd-4fa0-8e57-789431626a27',
      tags: ['hello', 'test'],
    });
    const byId = '/tootles/instanceID/7c9a5711-aadd-4fa0-8e57-789431626a27/2009-04-04/meta-data/plan';
    expect((await get(byId)).body).toBe('c3.small.x86');
  });

  it('does not know a machine by an address of its own choosing', async () => {
    expect((await get('/metadata', { headers: {} })).status).toBe(404);
  });

  it('answers 405 to anything but GET, wherever', async () => {
    for (const path of ['/metadata', '/metrics', '/latest/api/token', '/nowhere']) {
      expect((await get(path, { method: 'PUT', body: 'x' })).status).toBe(405);
    }
    expect(await get('/nowhere')).toMatchObject({ status: 404, body: '404 not found' });
  });

  it('tells how it is', async () => {
    expect(JSON.parse((await get('/_packet/version')).body)).toEqual({ git_rev: 'abc', service_name: 'Hegel' });
    const health = await get('/_packet/healthcheck');
    expect(health.status).toBe(200);
    expect(JSON.parse(health.body)).toMatchObject({ git_rev: 'abc', cacher_status: true });
    fault = 'the log is away';
    const ill = await get('/healthz');
    fault = undefined;
    expect(ill.status).toBe(500);
    expect(JSON.parse(ill.body)).toMatchObject({ cacher_status: false, fault: 'the log is away' });
    const metrics = await get('/metrics');
    expect(metrics.type).toContain('version=0.0.4');
    expect(metrics.body).toMatch(/^hegel_http_requests_total\{code="200",method="GET",route="ec2"\} \d+$/m);
    expect(metrics.body).toMatch(/^hegel_hardware 1$/m);
  });

  it('does not start with settings that make no sense, and leaves nothing behind', async () => {
    await expect(startHegel(config({ TRUSTED_PROXIES: 'x' }), { hardware: rows })).rejects.toThrow('TRUSTED_PROXIES');
    await expect(startHegel(config({ HEGEL_HTTP_PORT: String(hegel.port) }), { hardware: rows })).rejects.toThrow(
      'EADDRINUSE',
    );
  });
});

/** A record that answers with its own id. */
function own(id: string, address: string): HardwareRow {
  const row = hardwareRow('hegel-tinkerbellKantEC2.json');
  const [first] = row.hardware.network.interfaces;
  if (!first) throw new Error('a fixture without an interface');
  const mac = id === 'four' ? '52-54-00-00-00-07' : first.dhcp.mac;
  const dhcp = { ...first.dhcp, mac, ip: { address, netmask: '', gateway: '', family: address.includes(':') ? 6 : 4 } };
  const hardware = {
    ...row.hardware,
    id,
    metadata: { instance: { id } },
    network: { interfaces: [{ ...first, dhcp }] },
  };
  return { ...row, id, hardware };
}

describe('hegel by IPv6', () => {
  const machines = new MemoryHardware(own('six', '::1'), own('four', '127.0.0.7'), own('link', 'fe80::1'));
  const lease: LeaseRow = {
    ...{
      ip: '::1',
      subnet: '',
      origin: 'pool',
      mac: '52-54-00-00-00-07',
      hardwareId: 'four',
      clientId: null,
      hostname: '',
    },
    ...{
      state: 'bound',
      leaseSeconds: 60,
      boundAt: null,
      expiresAt: '2999-01-01T00:00:00.000Z',
      quarantinedUntil: null,
    },
    ...{ updatedAt: '', position: 1 },
  };
  const leases = new Map<string, LeaseRow>();
  let both: RunningHegel;
  beforeAll(async () => {
    const settings = { HEGEL_HTTP_ADDRESS: '::', TRUSTED_PROXIES: '127.0.0.9', HEGEL_INSTANCE_URLS: 'false' };
    both = await startHegel(config(settings), { hardware: machines, leases });
  });
  afterAll(() => both.close());

  const ask = (from: string, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<string>((resolve, reject) => {
      const host = from.includes(':') ? '::1' : '127.0.0.1';
      const path = '/2009-04-04/meta-data/instance-id';
      httpGet({ host, port: both.port, path, localAddress: from, headers, agent: false }, (response) => {
        let body = '';
        response.on('data', (part: Buffer) => (body += part.toString()));
        response.once('end', () => resolve(`${response.statusCode} ${body}`));
      }).once('error', reject);
    });

  it('tells each machine of its own record, whichever family it comes by', async () => {
    expect(await ask('::1')).toBe('200 six');
    expect(await ask('127.0.0.7')).toBe('200 four');
    expect(await ask('127.0.0.8')).toBe('404 404 no hardware with the address 127.0.0.8');
  });

  it('tells nobody of the record of another that it says it is', async () => {
    for (const said of ['127.0.0.7', '::ffff:127.0.0.7', '[::ffff:127.0.0.7]:80'])
      expect(await ask('::1', { 'x-forwarded-for': said })).toBe('200 six');
    expect(await ask('127.0.0.8', { 'x-forwarded-for': '::1' })).toMatch(/^404 /);
  });

  it('believes a proxy of ours, in any spelling of an address', async () => {
    for (const said of ['0:0:0:0:0:0:0:1', '[::1]:4711', '::0001'])
      expect(await ask('127.0.0.9', { 'x-forwarded-for': said })).toBe('200 six');
    expect(await ask('127.0.0.9', { 'x-forwarded-for': '::FFFF:7f00:7' })).toBe('200 four');
  });

  it('knows a machine by its lease, as long as it holds it, where no record has the address', async () => {
    leases.set('::1', lease);
    expect(await ask('::1')).toBe('200 six');
    const six = machines.get('six');
    machines.put('six', undefined);
    expect(await ask('::1')).toBe('200 four');
    const notHeld: Partial<LeaseRow>[] = [
      ...([{ state: 'released' }, { state: 'declined' }, { mac: null }, { mac: '52-54-00-00-00-08' }] as const),
      ...[{ expiresAt: '2001-01-01T00:00:00.000Z' }, { expiresAt: null }],
    ];
    for (const over of notHeld) {
      leases.set('::1', { ...lease, ...over });
      expect(await ask('::1')).toMatch(/^404 /);
    }
    leases.clear();
    machines.put('six', six);
  });

  it('knows nobody by a link-local address, which is of another machine on the next wire', async () => {
    expect(await ask('127.0.0.9', { 'x-forwarded-for': 'fe80::1%eth0' })).toBe(
      '404 404 no hardware is known by the link-local address fe80::1',
    );
  });
});
