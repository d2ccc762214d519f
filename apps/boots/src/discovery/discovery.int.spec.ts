import type { AnyEvent } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from '../boots.testing';
import { firmware, requestOf } from '../dhcp/requests.testing';

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const unknown = '02:02:02:02:02:02';
const script = `/${unknown}/auto.ipxe`;
const elsewhere = '127.0.0.9';
const inventory = { vendor: 'QEMU', cpus: 2, interfaces: [{ name: 'eth0', mac: unknown, link: true }] };

async function start(settings: Readonly<Record<string, unknown>> = { BOOTS_DISCOVERY: 'true' }, clock?: () => Date) {
  bench = await startBench({ settings, ...(clock && { clock }) });
  return bench;
}

function report({ http }: Bench, token: string, body = JSON.stringify(inventory), mac = unknown) {
  const headers = { authorization: `Bearer ${token}` };
  return http(`/discovery/${mac}`, { method: 'POST', headers, body, from: elsewhere });
}

const bootEvents = async ({ store }: Bench) =>
  (await store.read<AnyEvent>(subjects.stream('boot', unknown.replaceAll(':', '-')))).events.map(({ event }) => event);

const tokenIn = (body: string) => /tink_token=(\S{43})\s/.exec(body)?.[1] ?? '';

describe('a machine without a record', () => {
  it('is looked at when the site wants that, and its report is in the log', async () => {
    const running = await start();
    const { status, body } = await running.http(script, { from: elsewhere });
    expect(status).toBe(200);
    expect(body).toContain(`tink_mode=discovery hw_addr=${unknown}`);
    expect(body).not.toContain('worker_id');
    expect((await report(running, tokenIn(body))).status).toBe(200);
    // The answer was lost, and it tells again.
    expect((await report(running, tokenIn(body))).status).toBe(200);
    const events = await bootEvents(running);
    expect(events.map(({ type }) => type)).toEqual(['BootScriptServed', 'MachineDiscovered']);
    expect(events[1]?.data).toMatchObject({
      hardwareId: null,
      address: elsewhere,
      inventory: { vendor: 'QEMU', cpus: 2 },
    });
    expect(JSON.stringify(events)).not.toContain(tokenIn(body));
  });

  it.each([
    ['its subnet', { BOOTS_DHCP_MODE: 'off', BOOTS_DHCP_SUBNETS: '127.0.0.0/24=auto-proxy' }],
    ['the mode', { BOOTS_DHCP_MODE: 'auto-proxy' }],
  ])('is looked at when %s is there for that', async (_, settings) => {
    const running = await start(settings);
    expect((await running.http(script, { from: elsewhere })).body).toContain(`tink_mode=discovery hw_addr=${unknown}`);
  });

  it.each([
    ['ARM, by PXE', firmware(11), 'aarch64'],
    ['ARM, by HTTP boot', firmware(19, 'HTTPClient'), 'aarch64'],
    ['x64', firmware(7), 'x86_64'],
  ])('is given the OSIE of its architecture: %s', async (_, options, arch) => {
    const running = await start({ BOOTS_DHCP_MODE: 'auto-proxy' });
    const chaddr = Uint8Array.of(2, 2, 2, 2, 2, 2);
    expect((await running.dhcp(requestOf('discover', options, { chaddr }))).file).not.toBe('');
    expect((await running.http(script, { from: elsewhere })).body).toContain(`vmlinuz-${arch}`);
    const [offered] = await bootEvents(running);
    expect(offered).toMatchObject({
      type: 'NetbootOffered',
      data: { hardwareId: null, mac: unknown.replaceAll(':', '-') },
    });
  });

  it('is served like any other, and not in the log, when somebody makes hundreds of MACs up', async () => {
    const now = new Date();
    const running = await start({ BOOTS_DHCP_MODE: 'auto-proxy' }, () => now);
    for (let n = 0; n < 500; n++) {
      const chaddr = Uint8Array.of(2, 9, 9, 9, n >> 8, n & 0xff);
      await running.dhcp(requestOf('discover', firmware(7), { chaddr }));
    }
    await running.dhcp(requestOf('discover', firmware(11), { chaddr: Uint8Array.of(2, 2, 2, 2, 2, 2) }));
    expect(await bootEvents(running)).toEqual([]);
    expect((await running.http(script, { from: elsewhere })).body).toContain('vmlinuz-aarch64');
  });

  it('is not in the log for each MAC that one address makes up', async () => {
    const now = new Date();
    const running = await start({ BOOTS_DISCOVERY: 'true' }, () => now);
    const ask = async (n: number) =>
      (await running.http(`/02:09:09:09:09:${n.toString(16).padStart(2, '0')}/auto.ipxe`, { from: elsewhere })).status;
    for (let n = 0; n < 30; n++) expect(await ask(n)).toBe(200);
    const position = await running.store.lastPosition();
    expect(await ask(30)).toBe(503);
    expect(await running.store.lastPosition()).toBe(position + 1);
    expect((await running.http(script, { from: machineAddress })).status).toBe(200);
  });

  it('is unknown otherwise', async () => {
    const running = await start({});
    expect((await running.http(script, { from: elsewhere })).status).toBe(404);
    expect((await report(running, 'a'.repeat(43))).status).toBe(403);
  });

  it('cannot be played by a machine that we know', async () => {
    const running = await start();
    await running.lease(...firmware(7));
    expect((await running.http(script, { from: machineAddress })).status).toBe(403);
  });

  it('is not believed without the token of its script, for another MAC, or with what is no inventory', async () => {
    const running = await start();
    const token = tokenIn((await running.http(script, { from: elsewhere })).body);
    expect((await report(running, 'a'.repeat(43))).status).toBe(403);
    expect((await report(running, token, '{}', '02:02:02:02:02:03')).status).toBe(403);
    expect((await report(running, token, '{}', 'nonsense')).status).toBe(404);
    const bad = await report(running, token, '{"cpus":-1}');
    expect(bad.status).toBe(400);
    expect(bad.body).toContain('cpus');
    expect((await report(running, token, '{')).status).toBe(400);
    expect((await report(running, token, `"${'x'.repeat(300_000)}"`)).status).toBe(413);
    expect((await bootEvents(running)).map(({ type }) => type)).toEqual(['BootScriptServed']);
  });
});
