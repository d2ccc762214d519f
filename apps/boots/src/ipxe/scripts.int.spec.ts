import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { option, requestedAddress, serverIdentifier } from '@tinkerbell/dhcp';
import type { AnyEvent } from '@tinkerbell/events';
import { InMemoryEventStore, StoreUnavailableError } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { hardwareUpdated } from '@tinkerbell/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, recordAt, startBench } from '../boots.testing';
import { firmware, hardwareId, mac, requestOf } from '../dhcp/requests.testing';
import { streamLogger } from '../logger';

let bench: Bench | undefined;
const start = async (...options: Parameters<typeof startBench>) => (bench = await startBench(...options));
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});
const ofType = <T extends AnyEvent['type']>(events: readonly AnyEvent[], type: T) =>
  events.filter((event): event is Extract<AnyEvent, { type: T }> => event.type === type);
const scriptPath = '/01:02:03:04:05:06/auto.ipxe';
const rom = firmware(7, 'PXEClient', 'iPXE');
/** Leases as iPXE does; the path of the script in the reply. */
async function boot({ lease }: Bench): Promise<string> {
  const { pathname, search } = new URL((await lease(...rom)).file);
  return `${pathname}${search}`;
}

describe('boot scripts', () => {
  it('go to the machine that holds the lease, with a token of which only the hash is kept', async () => {
    let log = '';
    const running = await start({ log: streamLogger({ write: (text) => (log += text) }, 'debug') });
    const { http, events } = running;
    const path = await boot(running);
    const { status, headers, body } = await http(path);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain/);
    const token = /tink_token=(\S{43})\s/.exec(body)?.[1] ?? '';
    const [served] = ofType(await events(), 'BootScriptServed');
    expect(served?.data).toMatchObject({ hardwareId, mac, script: 'osie', format: 'iPXE', address: machineAddress });
    expect(served?.data.tokenHash).toBe(createHash('sha256').update(token).digest('hex'));
    const ticket = path.split('ticket=')[1] ?? '';
    expect(ticket).toMatch(/^[\w-]{22}$/);
    expect(log).toContain(scriptPath);
    for (const secret of [token, ticket]) expect(JSON.stringify(await events()) + log).not.toContain(secret);
    expect(body).toContain(`worker_id=${hardwareId} tink_server=https://127.0.0.1:42124 hw_addr=01:02:03:04:05:06`);
    const again = await http(path);
    expect(again.status).toBe(200);
    expect(again.body).not.toContain(token);
  });

  it('are refused to others, and unknown for machines that are', async () => {
    const running = await start({});
    const { http, events } = running;
    expect((await http(scriptPath)).status).toBe(403);
    const path = await boot(running);
    const refused = await http(path, { from: '127.0.0.9' });
    expect(refused.status).toBe(403);
    const reason = 'it does not hold the lease of 01:02:03:04:05:06';
    expect(JSON.parse(refused.body)).toEqual({
      error: { code: 'FORBIDDEN', message: `the boot script of 01:02:03:04:05:06 is refused to 127.0.0.9: ${reason}` },
    });
    const [noted] = ofType(await events(), 'BootRequestFailed');
    expect(noted?.data).toMatchObject({ hardwareId, mac, reason: 'no-script', source: machineAddress });
    expect((await http('/auto.ipxe', { from: '127.0.0.9' })).status).toBe(404);
    expect((await http('/02:02:02:02:02:02/auto.ipxe')).status).toBe(404);
    expect((await http('/nonsense/auto.ipxe')).status).toBe(404);
  });

  it('are given for the ticket of this boot only, and no more once OSIE runs', async () => {
    const running = await start({});
    const { http, events } = running;
    const why = async (path: string) => (await http(path)).body;
    const first = await boot(running);
    for (const path of [scriptPath, '/auto.ipxe', `${scriptPath}?ticket=a&ticket=b`]) {
      expect(await why(path)).toContain('the URL has no ticket');
    }
    expect(await why(`${scriptPath}?ticket=${'a'.repeat(22)}`)).toContain('not that of the newest boot');
    const second = await boot(running);
    expect(second).not.toBe(first);
    expect(await why(first)).toContain('not that of the newest boot');
    expect((await http(second)).status).toBe(200);
    const body = '{"type":"osie.started","uptimeSeconds":5}';
    expect((await http('/phone-home', { method: 'POST', body })).status).toBe(200);
    const used = await http(second);
    expect(used.status).toBe(403);
    expect(used.body).toContain('was used');
    expect(JSON.stringify(await events())).not.toContain(second.split('ticket=')[1]);
  });

  it('carry the same ticket in a repeated reply', async () => {
    const { dhcp } = await start({});
    const request = requestOf('request', [
      ...[option(serverIdentifier, '127.0.0.1'), option(requestedAddress, machineAddress)],
      ...rom,
    ]);
    const [once, twice] = [(await dhcp(request)).file, (await dhcp({ ...request, secs: 9 })).file];
    expect(once).toContain('?ticket=');
    // Another xid is another boot: the bench counts it up.
    expect(twice).not.toBe(once);
  });

  it('need no ticket where the site says so', async () => {
    const { http, lease } = await start({ settings: { BOOTS_SCRIPT_TICKETS: 'false' } });
    expect((await lease(...rom)).file).not.toContain('?');
    expect((await http(scriptPath)).status).toBe(200);
  });

  it('are looked up in the log by another boots, that did not give the ticket', async () => {
    const log: ConstructorParameters<typeof InMemoryEventStore>[0] = { log: [] };
    const first = await start({ store: new InMemoryEventStore(log) });
    const path = await boot(first);
    await first.close();
    const second = await start({ store: new InMemoryEventStore({ log: [...(log.log ?? [])] }) });
    expect((await second.http(path)).status).toBe(200);
  });

  it('boot the disk when the machine may not netboot', async () => {
    const { http, lease, events } = await start({ interface: { allow_pxe: false } });
    await lease();
    expect((await http(scriptPath)).body).toContain('booting its own disk');
    expect(ofType(await events(), 'BootScriptServed')[0]?.data).toMatchObject({ script: 'local', tokenHash: null });
  });

  it.each([
    ['the usual OSIE', '', true],
    ['the same, named by the record', 'initramfs-x86_64,rootfs-x86_64', true],
    ['several root file systems', 'rootfs-1,rootfs-x86_64', false],
    ['one that is not the last initrd', 'rootfs-x86_64,initramfs-x86_64', false],
  ])('leave the root file system to OSIE where iPXE has the ROM for a driver: %s', async (_, initrd, isLeft) => {
    const osie = { base_url: '', kernel: '', initrd, kernel_params: [], console: '' };
    const running = await start({ interface: { osie } });
    for (const name of ['rootfs-x86_64', 'netroot-x86_64']) await writeFile(join(running.folders.osie, name), 'x');
    const { body } = await running.http(await boot(running));
    const left = 'iseq ${netX/chip} undionly && set root netroot-x86_64 ||';
    const digest = createHash('sha256').update('x').digest('hex');
    expect([body.includes(left), body.includes(` tink_root_sha256=${digest} `)]).toEqual([isLeft, isLeft]);
  });

  it('boot a rescue shell, also when the machine may not netboot, and give it no token', async () => {
    const running = await start({ interface: { allow_pxe: false, rescue: true } });
    const { body } = await running.http(await boot(running));
    expect(body).toContain('tink_mode=rescue');
    expect(body).not.toMatch(/tink_token|worker_id/);
    expect(ofType(await running.events(), 'BootScriptServed')[0]?.data).toMatchObject({
      ...{ script: 'rescue', tokenHash: null },
    });
  });

  it('boot the kernel with the arguments and the console of the record, after those of the site', async () => {
    const osie = { base_url: '', kernel: '', initrd: '', kernel_params: ['iommu=pt'], console: 'ttyS1,9600' };
    const running = await start({ interface: { osie }, settings: { BOOTS_KERNEL_ARGUMENTS: 'nomodeset' } });
    const { body } = await running.http(await boot(running));
    expect(body).toContain('console=ttyS1,9600 panic=10 quiet nomodeset iommu=pt worker_id=');
  });

  it('boot the kernel and the initrds of the record from its own server, whatever else boots has', async () => {
    const osie = {
      ...{ base_url: 'http://mirror.example:8080/os/', kernel: 'boot/bzImage', initrd: 'boot/a.img,boot/b.img' },
      ...{ kernel_params: ['my.word=1', 'debug'], console: 'ttyS1,9600' },
    };
    const running = await start({ interface: { osie }, settings: { BOOTS_KERNEL_ARGUMENTS: 'nomodeset' } });
    const { body } = await running.http(await boot(running));
    const lines = body.split('\n');
    expect(lines).toContain('set base http://mirror.example:8080/os');
    const kernel = lines.find((line) => line.startsWith('kernel '));
    expect(kernel).toMatch(
      /^kernel \$\{base\}\/boot\/bzImage console=tty0 console=ttyS1,9600 panic=10 quiet nomodeset my\.word=1 debug /,
    );
    expect(kernel).toMatch(/ initrd=a\.img initrd=b\.img && goto kernel_done \|\|$/);
    const initrds = lines.filter((line) => line.startsWith('initrd ')).map((line) => line.split(' && ')[0]);
    expect(initrds).toEqual(['initrd --name a.img ${base}/boot/a.img', 'initrd --name b.img ${base}/boot/b.img']);
  });

  it('are the record’s own, word for word, whatever alphabet it is in', async () => {
    const contents = '#!ipxe\r\necho ${net0/mac} grüßt 内核 || shell\r\n';
    const running = await start({ interface: { ipxe: { url: '', contents, binary: '' } } });
    const { body, headers } = await running.http(await boot(running));
    expect(Buffer.from(body, 'latin1').toString()).toBe(contents);
    expect(headers['content-length']).toBe(String(Buffer.byteLength(contents)));
  });

  it('are the record’s own', async () => {
    const running = await start({ interface: { ipxe: { url: '', contents: 'shell', binary: '' } } });
    const path = await boot(running);
    expect((await running.http(path)).body).toBe('#!ipxe\n\nshell\n');
    await running.append(subjects.stream('hardware', hardwareId), { type: 'HardwareDeleted', v: 1, data: {} });
    expect((await running.http(path)).status).toBe(404);
  });

  it('name what cannot be part of a script', async () => {
    const osie = { base_url: 'http://m/a b', kernel: '', initrd: '', kernel_params: [], console: '' };
    const running = await start({ interface: { osie } });
    const { status, body } = await running.http(await boot(running));
    expect(status).toBe(409);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'UNSAFE_SCRIPT_VALUE', field: 'osieUrl' } });
  });

  it('are not served when that cannot be stored', async () => {
    const store = new InMemoryEventStore();
    const running = await start({ store });
    const path = await boot(running);
    store.append = () => Promise.reject(new StoreUnavailableError('disk full'));
    const { status, body } = await running.http(path);
    expect(status).toBe(503);
    expect(body).not.toContain('tink_token');
  });

  it('go by the reservation where another server does DHCP', async () => {
    const { http, boots } = await start({ settings: { BOOTS_DHCP: 'false' } });
    expect(boots.dhcp).toBeUndefined();
    expect((await http(scriptPath)).status).toBe(200);
    expect((await http(scriptPath, { from: '127.0.0.9' })).status).toBe(403);
  });
});

describe('a machine that comes by IPv6', () => {
  const at6 = async (running: Bench) =>
    running.append(subjects.stream('hardware', hardwareId), hardwareUpdated(recordAt('::1')));
  const settings = { BOOTS_DHCP: 'false', PUBLIC_IP6: '::1', BOOTS_SYSLOG_PORT: 0 };

  it('is told what DHCPv6 does not say', async () => {
    const machineLog = { write: () => Promise.resolve() };
    const running = await start({ settings, machineLog });
    await at6(running);
    const { body } = await running.http(scriptPath, { from: '::1' });
    expect(body).toContain(` syslog_host=[::1]:${running.boots.syslog?.port} hostname=test-host `);
    expect(body).toContain(' tink_server=https://[::1]:42124 ');
    expect((await running.http(scriptPath)).status).toBe(403);
  });

  it('goes on by IPv6 in iPXE; by IPv4 everything is as iPXE has it', async () => {
    const running = await start({ settings });
    for (const path of ['/autoexec.ipxe', '/01:02:03:04:05:06/autoexec.ipxe']) {
      const { status, body } = await running.http(path, { from: '::1' });
      expect([status, body.split('\n')[2]]).toEqual([200, 'ifconf --configurator ipv6 || goto usual']);
      expect((await running.http(path)).status).toBe(404);
    }
  });

  it('fetches the root file system from the address that its loader has, by IPv4 from one of its own', async () => {
    const running = await start({ settings });
    await at6(running);
    for (const name of ['rootfs-x86_64', 'netroot-x86_64']) await writeFile(join(running.folders.osie, name), 'x');
    const grub = async (from: string) => (await running.http('/grub/grub.cfg-01-01-02-03-04-05-06', { from })).body;
    expect(await grub('::1')).toMatch(/'tink_root=http:\/\/\[::1\]:\d+\/osie\/rootfs-x86_64'.* 'tink_root_from=::1'/);
    await running.append(subjects.stream('hardware', hardwareId), hardwareUpdated(recordAt(machineAddress)));
    const told = await grub(machineAddress);
    expect(told).toContain('tink_root=http://127.0.0.1:');
    expect(told).not.toContain('tink_root_from');
  });
});
