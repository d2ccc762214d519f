// A network without IPv4: the provisioner has no such address there, and no packet of IPv4 is answered.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildArtefacts } from '../demo/src/artefacts';
import type { MachineRun } from '../demo/src/machine-run';
import type { Firmware } from './machine';
import { orderOneAction } from './one-action';
import { run, start, stop, until } from './run';
import { useSite } from './site';

const programs = ['/usr/bin/qemu-system-x86_64', '/usr/sbin/radvd', '/usr/bin/tcpdump'];
const needed = ['/dev/net/tun', '/usr/share/OVMF/OVMF_CODE_4M.fd', ...programs];
const absent = needed.filter((file) => !existsSync(file));
const cannot = process.getuid?.() !== 0 ? ['root'] : absent;
if (cannot.length > 0) console.warn(`SKIPPED: boot by IPv6: missing ${cannot.join(', ')}`);

const patience = 480_000;
const folder = mkdtempSync(join(tmpdir(), 'ipv6-'));
const subnets = join(folder, 'dhcp.yaml');
writeFileSync(subnets, 'subnets: [{ subnet: "fd99::/64", mode: reservation, advertise: true }]\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(cannot.length > 0)('a machine in a network without IPv4', () => {
  const site = useSite('ipv6', async () => void (await buildArtefacts('small', () => undefined)), {
    env: { BOOTS_DHCP_FILE: subnets },
    address: '127.0.0.1',
    address6: 'fd99::1',
    args: ['--ip6', 'fd99::1', '--no-dhcp'],
  });

  const powerOn = async (n: number, firmware: Firmware): Promise<MachineRun> => {
    const hardwareId = `0eba0bf8-3772-4b4a-ab9f-6ebe93b90d0${n}`;
    const described = { hardwareId, hostname: `six-${n}`, mac: `52:54:00:99:06:0${n}`, ip: `fd99::1${n}`, uefi: true };
    const place = { dir: site.dir, server: 'fd99::1' };
    return site.powerOn(described, await orderOneAction(site.provisioner, described, place), firmware);
  };
  const offers = ({ events }: MachineRun) =>
    events.flatMap(({ event }) => (event.type === 'NetbootOffered' ? [event.data] : []));
  const served = ({ events }: MachineRun) =>
    events.flatMap(({ event: { type, data } }) => (type === 'BootFileServed' ? [`${data.protocol} ${data.role}`] : []));

  it('boots by UEFI HTTP boot and by UEFI PXE, and runs an action', { timeout: 900_000 }, async () => {
    const wire = join(site.dir, 'wire.pcap');
    const [enter = '', ...inLab] = site.lab.enter;
    const wanted = 'ether src 52:54:00:99:06:02 and (ip or arp or udp port 547)';
    const capture = start(enter, [...inLab, 'tcpdump', '-i', site.lab.bridge, '-U', '-w', wire, wanted]);
    const [pxe, http] = [await powerOn(1, 'uefi6'), await powerOn(2, 'uefi-http6')];

    await until(() => offers(pxe).length === 2, patience);
    await pxe.machine.off();
    expect(offers(pxe).map(({ ip, client }) => `${client} ${ip}`)).toEqual(['PXEClient fd99::11', 'iPXE fd99::11']);
    expect(offers(pxe)[0]?.bootFile).toBe('tftp://[fd99::1]/ipxe.efi');
    expect(served(pxe)).toEqual(['tftp nbp']);

    await until(() => http.story.steps.some(({ name }) => name === 'workflow'), patience);
    expect(http.story.steps.at(-1)?.detail).toBe('succeeded');
    expect(offers(http).map(({ ip, client }) => `${client} ${ip}`)).toEqual(['HTTPClient fd99::12', 'iPXE fd99::12']);
    expect(offers(http)[0]?.bootFile).toBe('http://[fd99::1]/52:54:00:99:06:02/ipxe.efi');
    expect(served(http)).toEqual(['http nbp', 'http kernel', 'http initramfs', 'http rootfs']);
    expect(http.machine.console()).toMatch(/OSIE: t=\S+ network eth0 fd99::12\/128/);
    expect(http.events.map(({ event }) => event.type)).toContain('OsieStarted');
    expect(await site.provisioner.tink('machine', 'logs', 'six-2')).toContain('syslog to [fd99::1]');

    // Neither the firmware, nor iPXE, nor OSIE says anything by IPv4.
    await stop(capture);
    const packets = (await run('tcpdump', '-tnr', wire)).split('\n').filter((packet) => packet !== '');
    expect(packets.some((packet) => packet.startsWith('IP6 '))).toBe(true);
    expect(packets.filter((packet) => !packet.startsWith('IP6 '))).toEqual([]);
  });
});
