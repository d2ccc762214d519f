import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { subjects } from '@tinkerbell/messaging';
import { hardwareInterface, hardwareRecord, hardwareUpdated } from '@tinkerbell/testing';
import { afterEach, expect, it } from 'vitest';
import { type Bench, recordAt, startBench } from '../boots.testing';
import { hardwareId, mac } from '../dhcp/requests.testing';

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});
const path = '/iso/01:02:03:04:05:06/tinkerbell.iso';
const bmc = '127.0.0.9';

async function start(settings: Readonly<Record<string, unknown>> = { BOOTS_DHCP: 'false' }) {
  bench = await startBench({ settings });
  const program = Buffer.from(Uint8Array.from({ length: 60_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
  await writeFile(join(bench.folders.ipxe, 'ipxe.efi'), program);
  return bench;
}

const get = async ({ http }: Bench, headers: Readonly<Record<string, string>> = {}) =>
  http(path, { from: bmc, headers });

it('is the same for the same record, another for another, and holds no secret', async () => {
  const running = await start();
  const first = await get(running);
  expect(first.status).toBe(200);
  expect(first.headers['content-length']).toBe(String(first.body.length));
  expect(first.body).toContain('chain --autofree http://127.0.0.1:');
  expect(first.body).toContain('/01:02:03:04:05:06/auto.ipxe?network=static');
  expect(first.body).toContain('ip 127.0.0.5\n');
  expect(first.body).not.toMatch(/token|ticket/);
  const again = await get(running);
  expect(again.body).toBe(first.body);
  expect(again.headers.etag).toBe(first.headers.etag);
  const moved = hardwareInterface(mac, '127.0.0.6');
  const changed = hardwareUpdated(hardwareRecord({ id: hardwareId, network: { interfaces: [moved] } }));
  await running.append(subjects.stream('hardware', hardwareId), changed);
  const other = await get(running);
  expect(other.body).toContain('ip 127.0.0.6\n');
  expect(other.headers.etag).not.toBe(first.headers.etag);
  // What a drive has begun to read it goes on with, or begins anew.
  const rest = await get(running, { range: 'bytes=100-', 'if-range': first.headers.etag as string });
  expect(rest.status).toBe(200);
  expect(rest.body).toBe(other.body);
});

it('is made anew when the folder for temporary files was cleaned: the same again, and others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'iso-'));
  const usual = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    const running = await start();
    const first = await get(running);
    for (const what of (await readdir(folder)).filter((name) => name.startsWith('boots-iso-'))) {
      for (const name of await readdir(join(folder, what))) await rm(join(folder, what, name));
    }
    expect((await get(running)).body).toBe(first.body);
    const clean = async () => {
      const made = (await readdir(folder)).filter((name) => name.startsWith('boots-iso-'));
      expect(made).toHaveLength(1);
      for (const name of made) await rm(join(folder, name), { recursive: true });
    };
    await clean();
    const all = await Promise.all([1, 2, 3].map(() => get(running, { range: 'bytes=0-40000' })));
    for (const { status, body } of all)
      expect({ status, body }).toEqual({ status: 206, body: first.body.slice(0, 40_001) });
    await clean();
    const moved = hardwareInterface(mac, '127.0.0.6');
    const changed = hardwareUpdated(hardwareRecord({ id: hardwareId, network: { interfaces: [moved] } }));
    await running.append(subjects.stream('hardware', hardwareId), changed);
    expect((await get(running)).body).toContain('ip 127.0.0.6\n');
  } finally {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
    await bench?.close();
    bench = undefined;
    await rm(folder, { recursive: true, force: true });
  }
});

it('asks by DHCP where boots gives out addresses', async () => {
  const { body } = await get(await start({}));
  expect(body).toContain('chain --autofree ${filename}');
});

it('comes in any parts', async () => {
  const running = await start();
  const { body, headers } = await get(running);
  const size = body.length;
  const splits = [[1], [2047, 2048, 2049], [size - 1], [32768, 34816, 34817, 90_000]];
  for (const split of splits) {
    let text = '';
    const edges = [0, ...split, size];
    for (const [i, from] of edges.slice(0, -1).entries()) {
      const part = await get(running, {
        range: `bytes=${from}-${(edges[i + 1] ?? 0) - 1}`,
        'if-range': headers.etag as string,
      });
      expect(part.status).toBe(206);
      text += part.body;
    }
    expect(text === body).toBe(true);
  }
  expect((await get(running, { range: 'bytes=-10' })).body).toBe(body.slice(-10));
  expect((await get(running, { range: `bytes=${size}-` })).status).toBe(416);
  expect((await get(running, { 'if-none-match': headers.etag as string })).status).toBe(304);
  const head = await running.http(path, { from: bmc, method: 'HEAD' });
  expect(head.headers['content-length']).toBe(String(size));
  expect(head.headers['accept-ranges']).toBe('bytes');
  expect(head.body).toBe('');
});

it.skipIf(!existsSync('/usr/bin/curl'))('is taken up by curl where it broke off', async () => {
  const running = await start();
  const folder = await mkdtemp(join(tmpdir(), 'iso-'));
  try {
    const file = join(folder, 'a.iso');
    const url = `http://127.0.0.1:${running.boots.http.port}${path}`;
    await promisify(execFile)('curl', ['-sSf', '-o', file, url]);
    const whole = await readFile(file);
    await truncate(file, 12_345);
    await promisify(execFile)('curl', ['-sSf', '-C', '-', '-o', file, url]);
    expect((await readFile(file)).equals(whole)).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('is not there for a machine that we do not know, nor without programs', async () => {
  const running = await start();
  expect((await running.http('/iso/02:02:02:02:02:02/x.iso')).status).toBe(404);
  expect((await running.http('/iso/nonsense/x.iso')).status).toBe(404);
  await rm(join(running.folders.ipxe, 'ipxe.efi'));
  const { status, body } = await get(running);
  expect(status).toBe(404);
  expect(body).toContain('ipxe.iso');
});

it('leads to a script that keeps the address, given to the machine alone', async () => {
  const { http } = await start();
  const script = '/01:02:03:04:05:06/auto.ipxe?network=static';
  expect((await http(script)).body).toContain('ipam=01-02-03-04-05-06::127.0.0.5:255.0.0.0::test-host:1.1.1.1 ');
  expect((await http(script.split('?')[0] ?? '')).body).not.toContain('ipam=');
  expect((await http(script, { from: bmc })).status).toBe(403);
});

it('does the same by IPv6', async () => {
  const running = await start({ BOOTS_DHCP: 'false', PUBLIC_IP6: '::1' });
  const place = { netmask: 'ffff:ffff:ffff::', gateway: 'fd99::ff' };
  const servers = { name_servers: ['1.1.1.1', '2001:db8::53', '2001:db8::54'] };
  const put = (address: string) =>
    running.append(subjects.stream('hardware', hardwareId), hardwareUpdated(recordAt(address, place, servers)));
  await put('::1');
  const { body } = await get(running);
  expect(body).toContain('set net${card}/ip6 ::1\nset net${card}/len6 48\nset net${card}/gateway6 fd99::ff\n');
  expect(body).toContain('set net${card}/dns6 2001:db8::53\nifopen net${card}');
  expect(body).toContain(`chain --autofree http://[::1]:${running.boots.http.port}/01:02:03:04:05:06/auto.ipxe?`);
  const script = (await running.http('/01:02:03:04:05:06/auto.ipxe?network=static', { from: '::1' })).body;
  expect(script).toContain(' ipam=01-02-03-04-05-06::[::1]:48:[fd99::ff]:test-host:[2001:db8::53],[2001:db8::54] ');
  expect(script).toContain(' tinkerbell=http://[::1]:');
});
