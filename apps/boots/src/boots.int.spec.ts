import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  encodePacket,
  maxMessageSize,
  messageType,
  option,
  readOption,
  requestedAddress,
  serverIdentifier,
} from '@tinkerbell/dhcp';
import type { AnyEvent } from '@tinkerbell/events';
import { InMemoryEventStore, StoreUnavailableError } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { captures, hardwareUpdated, readCapture } from '@tinkerbell/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, recordAt, startBench } from './boots.testing';
import { firmware, hardwareId, mac, requestOf } from './dhcp/requests.testing';

let bench: Bench | undefined;
const start = async (...options: Parameters<typeof startBench>) => (bench = await startBench(...options));
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});
const ofType = <T extends AnyEvent['type']>(events: readonly AnyEvent[], type: T) =>
  events.filter((event): event is Extract<AnyEvent, { type: T }> => event.type === type);
/** Until the condition holds: what boots does after its answer has no reply of its own. */
async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const scriptPath = '/01:02:03:04:05:06/auto.ipxe';

describe('DHCP', () => {
  it('binds before it acknowledges, then renews', async () => {
    const { dhcp, lease, events } = await start({});
    const offer = await dhcp(requestOf('discover', firmware(7)));
    expect(offer).toMatchObject({ yiaddr: machineAddress, file: 'ipxe.efi' });
    expect(await events()).toEqual([]);
    const ack = await lease(...firmware(7));
    expect(readOption(ack.options, messageType)).toBe('ack');
    expect((await events()).map(({ type }) => type)).toEqual(['LeaseBound', 'NetbootOffered']);
    await lease();
    expect((await events()).map(({ type }) => type)).toEqual(['LeaseBound', 'LeaseRenewed', 'NetbootOffered']);
  });

  it('does not acknowledge what cannot be stored, and does so when it can be again', async () => {
    const store = new InMemoryEventStore();
    const append = store.append.bind(store);
    let isDown = false;
    store.append = (...args) => (isDown ? Promise.reject(new StoreUnavailableError('disk full')) : append(...args));
    const { boots, lease, dhcp } = await start({ store });
    isDown = true;
    const lost = lease();
    await eventually(async () =>
      boots.metrics.total('dhcp_dropped_total', { reason: 'error' }) > 0 ? true : undefined,
    );
    expect(boots.metrics.total('dhcp_replies_total')).toBe(0);
    await dhcp(requestOf('discover')); // needs no log
    isDown = false;
    expect(readOption((await lease()).options, messageType)).toBe('ack');
    void lost;
  });

  it('answers a BOOTP client that repeats itself, and tells of one boot', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const { boots, relay, events } = await start({ clock: () => new Date(now) });
    const booting = { ...requestOf('discover', []), file: 'unix', giaddr: '127.0.0.2', options: new Map() };
    let sent = 0;
    const ask = async (xid: number, secs: number) => {
      relay(encodePacket({ ...booting, xid, secs }));
      sent++;
      await eventually(async () => (boots.metrics.total('dhcp_replies_total') === sent ? true : undefined));
      now += 4000;
    };
    await ask(1, 0);
    await ask(1, 4);
    await ask(1, 8);
    expect((await events()).map(({ type }) => type)).toEqual(['LeaseBound', 'NetbootOffered']);
    await ask(2, 0);
    expect((await events()).map(({ type }) => type)).toEqual(['LeaseBound', 'NetbootOffered', 'NetbootOffered']);
    now += 64_000;
    await ask(2, 76);
    expect(await events()).toHaveLength(4);
  });

  it('acknowledges a repeated REQUEST again, and nothing new is recorded', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const { boots, relay, events } = await start({ clock: () => new Date(now) });
    const wanted = [option(serverIdentifier, '127.0.0.1'), option(requestedAddress, machineAddress)];
    const bytes = encodePacket({ ...requestOf('request', [...wanted, ...firmware(7)]), giaddr: '127.0.0.2' });
    const replies = (count: number) =>
      eventually(async () => (boots.metrics.total('dhcp_replies_total') === count ? true : undefined));
    relay(bytes);
    await replies(1);
    relay(bytes); // the network's doing
    await eventually(async () =>
      boots.metrics.total('dhcp_dropped_total', { reason: 'duplicate' }) === 1 ? true : undefined,
    );
    now += 4000;
    bytes[9] = 4; // secs
    relay(bytes);
    await replies(2);
    expect((await events()).map(({ type }) => type)).toEqual(['LeaseBound', 'NetbootOffered']);
    now += 64_000;
    relay(bytes);
    await replies(3);
    expect((await events()).map(({ type }) => type)).toEqual([
      'LeaseBound',
      'LeaseExpired',
      'LeaseBound',
      'NetbootOffered',
      'NetbootOffered',
    ]);
  });

  it('tells of a lease that ran out, though nobody asks, as soon as that can be stored', async () => {
    const store = new InMemoryEventStore();
    const append = store.append.bind(store);
    let refused: number | undefined;
    store.append = (...args) => {
      if (refused === undefined) return append(...args);
      refused++;
      return Promise.reject(new StoreUnavailableError('disk full'));
    };
    let now = Date.parse('2026-01-01T00:00:00Z');
    const { lease, events } = await start({ store, clock: () => new Date(now) });
    await lease();
    const before = now;
    refused = 0;
    now += 24 * 3600_000;
    await expect.poll(() => refused).toBeGreaterThan(0);
    refused = undefined;
    const expired = async () => ofType(await events(), 'LeaseExpired');
    await expect.poll(expired).toHaveLength(1);
    const [{ data } = expect.fail('not told')] = await expired();
    expect(data).toMatchObject({ ip: machineAddress, mac, origin: 'reservation', cause: 'time' });
    expect(Date.parse(data.expiresAt)).toBeGreaterThan(before);
  });

  it('answers a REQUEST once while its fact is being stored', async () => {
    const store = new InMemoryEventStore();
    const append = store.append.bind(store);
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let isHeld = false;
    store.append = async (...args) => {
      if (isHeld) await held;
      return append(...args);
    };
    let now = Date.parse('2026-01-01T00:00:00Z');
    const { boots, relay, events } = await start({ store, clock: () => new Date(now) });
    const wanted = [option(serverIdentifier, '127.0.0.1'), option(requestedAddress, machineAddress)];
    const bytes = encodePacket({ ...requestOf('request', wanted), giaddr: '127.0.0.2' });
    isHeld = true;
    relay(bytes);
    await eventually(async () => (boots.metrics.total('dhcp_requests_total') === 1 ? true : undefined));
    now += 4000;
    relay(bytes);
    await eventually(async () =>
      boots.metrics.total('dhcp_dropped_total', { reason: 'duplicate' }) === 1 ? true : undefined,
    );
    release();
    await eventually(async () => (boots.metrics.total('dhcp_replies_total') === 1 ? true : undefined));
    expect((await events()).map(({ type }) => type)).toEqual(['LeaseBound']);
  });

  it('tells what a client was not told for want of room', async () => {
    const { boots, dhcp, append } = await start({});
    const name_servers = Array.from({ length: 150 }, (_, i) => `10.9.0.${i}`);
    const longer = recordAt(machineAddress, { netmask: '255.0.0.0' }, { name_servers });
    await append(subjects.stream('hardware', hardwareId), hardwareUpdated(longer));
    const offer = await dhcp(requestOf('discover'));
    expect(offer.options.has(6)).toBe(false);
    expect(boots.metrics.total('dhcp_options_left_out_total', { code: '6' })).toBe(1);
    expect((await dhcp(requestOf('discover', [option(maxMessageSize, 1500)]))).options.get(6)).toHaveLength(600);
    expect(boots.metrics.total('dhcp_options_left_out_total', { code: '6' })).toBe(1);
  });

  it('answers the next machine after any malformed message', async () => {
    const { boots, relay, dhcp } = await start({});
    let sent = 0;
    for (const name of captures) {
      for (const bytes of readCapture(name).slice(0, 2)) {
        for (let length = 0; length < bytes.length; length += 13) {
          relay(bytes.subarray(0, length));
          sent++;
        }
      }
    }
    expect(sent).toBeGreaterThan(500);
    const offer = await dhcp(requestOf('discover'));
    expect(offer.yiaddr).toBe(machineAddress);
    expect(boots.metrics.total('dhcp_dropped_total', { reason: 'malformed' })).toBeGreaterThan(0);
  });

  it('remembers the leases of the log after a restart', async () => {
    const log: ConstructorParameters<typeof InMemoryEventStore>[0] = { log: [] };
    const first = await start({ store: new InMemoryEventStore(log) });
    await first.lease();
    await first.close();
    const second = await start({ store: new InMemoryEventStore({ log: [...(log.log ?? [])] }) });
    expect((await second.http('/phone-home', { method: 'POST' })).status).toBe(200);
  });
});

describe('files', () => {
  const content = 'kernel'.repeat(1000);
  async function withFiles() {
    const started = await start({});
    await writeFile(join(started.folders.osie, 'vmlinuz-x86_64'), content);
    await writeFile(join(started.folders.ipxe, 'ipxe.efi'), 'an EFI program');
    await writeFile(join(started.folders.images, 'disk.raw'), '0123456789');
    await symlink(join(started.folders.images, '..', 'secret'), join(started.folders.images, 'link'));
    return started;
  }

  it('go out whole, and that is an event', async () => {
    const { http, lease, events } = await withFiles();
    await lease();
    const { status, headers, body } = await http('/osie/vmlinuz-x86_64');
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-length': String(content.length), 'accept-ranges': 'bytes' });
    expect(body).toBe(content);
    const [served] = await eventually(async () => {
      const found = ofType(await events(), 'BootFileServed');
      return found.length > 0 ? found : undefined;
    });
    expect(served?.data).toMatchObject({
      protocol: 'http',
      role: 'kernel',
      file: 'vmlinuz-x86_64',
      bytes: content.length,
    });
  });

  it('in parts, to the last of which the event belongs', async () => {
    const { http, lease, events } = await withFiles();
    await lease();
    const part = await http('/images/disk.raw', { headers: { range: 'bytes=2-4' } });
    expect(part).toMatchObject({ status: 206, body: '234' });
    expect(part.headers['content-range']).toBe('bytes 2-4/10');
    expect(ofType(await events(), 'BootFileServed')).toEqual([]);
    for (const [range, body] of [
      ['bytes=-1', '9'],
      ['bytes=5-', '56789'],
      ['bytes=0-4', '01234'],
      ['bytes=6-', '6789'],
    ] as const)
      expect((await http('/images/disk.raw', { headers: { range } })).body).toBe(body);
    expect(ofType(await events(), 'BootFileServed')).toEqual([]);
    expect((await http('/images/disk.raw', { headers: { range: 'bytes=5-' } })).body).toBe('56789');
    await eventually(async () => (ofType(await events(), 'BootFileServed').length === 1 ? true : undefined));
    const beyond = await http('/images/disk.raw', { headers: { range: 'bytes=10-' } });
    expect(beyond).toMatchObject({ status: 416, body: '' });
    expect(beyond.headers['content-range']).toBe('bytes */10');
  });

  it('by HEAD, ETag and If-Range', async () => {
    const { http } = await withFiles();
    const head = await http('/images/disk.raw', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe('10');
    // RFC 9110 §14.2.
    const part = await http('/images/disk.raw', { method: 'HEAD', headers: { range: 'bytes=2-4' } });
    expect(part).toMatchObject({ status: 200, headers: { 'content-length': '10' } });
    expect(part.headers['content-range']).toBeUndefined();
    const etag = String(head.headers['etag']);
    expect((await http('/images/disk.raw', { headers: { 'if-none-match': etag } })).status).toBe(304);
    const range = 'bytes=0-1';
    expect((await http('/images/disk.raw', { headers: { range, 'if-range': etag } })).status).toBe(206);
    expect((await http('/images/disk.raw', { headers: { range, 'if-range': '"old"' } })).body).toBe('0123456789');
  });

  it('of HTTP boot, with and without MAC', async () => {
    const { http } = await withFiles();
    expect((await http('/ipxe.efi')).body).toBe('an EFI program');
    expect((await http('/01:02:03:04:05:06/ipxe.efi')).body).toBe('an EFI program');
    expect((await http('/01:02:03:04:05:06/autoexec.ipxe')).status).toBe(404);
  });

  it.each([
    '/images/../secret',
    '/images/..%2fsecret',
    '/images/%2e%2e/secret',
    '/osie/..%5csecret',
    '/images/link',
    '/..%2fsecret',
    '/images/',
    '/images/%00',
    '/osie/%zz',
    '/nothing',
    '/a/b/c',
  ])('never from elsewhere: %s', async (path) => {
    const { http } = await withFiles();
    const { status, body } = await http(path);
    expect([400, 404]).toContain(status);
    expect(body).not.toContain('not for machines');
  });
});

describe('calls home', () => {
  it('are stored and answered', async () => {
    const { http, lease, events } = await start({});
    await lease();
    const post = (body: string, headers = {}) => http('/phone-home', { method: 'POST', body, headers });
    expect((await post('{"type":"osie.started","uptimeSeconds":7.5}')).status).toBe(200);
    expect((await post('')).status).toBe(200);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post('type=booted&body=well', form)).status).toBe(200);
    const told = await events();
    expect(ofType(told, 'OsieStarted')[0]?.data).toEqual({ hardwareId, mac, uptimeSeconds: 7.5 });
    expect(ofType(told, 'MachinePhonedHome').map(({ data }) => data)).toEqual([
      { hardwareId, mac, kind: 'phone-home', body: '', address: machineAddress },
      { hardwareId, mac, kind: 'booted', body: 'well', address: machineAddress },
    ]);
  });

  it('say what is wrong with them', async () => {
    const { http, lease, events } = await start({});
    await lease();
    const post = (body: string, from = machineAddress) => http('/phone-home', { method: 'POST', body, from });
    const bad = await post('{');
    expect(bad.status).toBe(400);
    expect(JSON.parse(bad.body)).toMatchObject({ error: { code: 'INVALID', field: 'body' } });
    const large = await post('x'.repeat(100_000));
    expect(large.status).toBe(413);
    const message = 'body is larger than 16384 bytes (16 KiB), the limit';
    expect(JSON.parse(large.body)).toEqual({ error: { code: 'TOO_LARGE', message } });
    expect((await post('x'.repeat(3_000_000))).status).toBe(413);
    expect((await post('', '127.0.0.9')).status).toBe(404);
    expect(ofType(await events(), 'MachinePhonedHome')).toEqual([]);
  });
});

describe('the service itself', () => {
  it('tells health, version and numbers', async () => {
    const store = new InMemoryEventStore();
    const { http, lease } = await start({ store });
    await lease();
    const healthy = await http('/healthz');
    expect(JSON.parse(healthy.body)).toMatchObject({ status: 'ok' });
    expect(healthy.headers).not.toHaveProperty('x-powered-by');
    expect(JSON.parse((await http('/version')).body)).toEqual({ version: '1.2.3', service_name: 'boots' });
    const { body, headers } = await http('/metrics');
    expect(headers['content-type']).toContain('version=0.0.4');
    expect(body).toContain('boots_dhcp_replies_total{type="ack"} 1');
    expect(body).toContain('boots_leases 1');
    expect(body).toContain('boots_http_requests_total{route="healthz",code="200"} 1');
    store.lastPosition = () => Promise.reject(new StoreUnavailableError('away'));
    const ill = await http('/healthz');
    expect(ill.status).toBe(503);
    expect(JSON.parse(ill.body)).toMatchObject({ status: 'unavailable', fault: 'away' });
  });

  it('says which address cannot be had, and closes what was open', async () => {
    await expect(startBench({ settings: { PUBLIC_IP: '192.0.2.1' } })).rejects.toThrow(/TFTP on 192\.0\.2\.1/);
  });

  it('says what to do when radvd is missing', async () => {
    const settings = { BOOTS_RA_INTERFACE: 'lo', BOOTS_RADVD: '/nowhere/radvd' };
    await expect(startBench({ settings })).rejects.toThrow(/nowhere\/radvd is not installed.*apt-get install radvd/);
  });

  it('has a chained program run once before the script', async () => {
    const {
      lease,
      append: _append,
      boots,
      folders,
      http,
    } = await start({
      interface: { ipxe: { url: '', contents: '', binary: 'my.kpxe' } },
    });
    await writeFile(join(folders.ipxe, 'my.kpxe'), 'a program');
    const rom = firmware(0, 'PXEClient', 'iPXE');
    expect((await lease(...rom)).file).toBe(`tftp://127.0.0.1:${boots.tftp.port}/01:02:03:04:05:06/my.kpxe`);
    await http('/01:02:03:04:05:06/my.kpxe');
    const script = await eventually(async () => {
      const { file } = await lease(...rom, option(messageType, 'request'));
      return file.includes(scriptPath) ? file : undefined;
    });
    expect((await http(`${scriptPath}${new URL(script).search}`)).status).toBe(200);
    expect((await lease(...rom)).file).toContain('my.kpxe');
  });
});
