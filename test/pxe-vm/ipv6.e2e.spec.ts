// A network without DHCPv4: two machines boot from the same provisioner by DHCPv6, one through PXE and one through HTTP boot.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildArtefacts } from '../demo/src/artefacts';
import type { MachineRun } from '../demo/src/machine-run';
import type { Firmware } from './machine';
import { orderOneAction } from './one-action';
import { until } from './run';
import { useSite } from './site';

const needed = ['/dev/net/tun', '/usr/bin/qemu-system-x86_64', '/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/sbin/radvd'];
const absent = needed.filter((file) => !existsSync(file));
const cannot = process.getuid?.() !== 0 ? ['root'] : absent;
if (cannot.length > 0) console.warn(`SKIPPED: boot by IPv6: missing ${cannot.join(', ')}`);

const patience = 480_000;
const folder = mkdtempSync(join(tmpdir(), 'ipv6-'));
const subnets = join(folder, 'dhcp.yaml');
writeFileSync(subnets, 'subnets: [{ subnet: "fd99::/64", mode: reservation, advertise: true }]\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(cannot.length > 0)('a machine in a network without DHCPv4', () => {
  const site = useSite('ipv6', async () => void (await buildArtefacts('small', () => undefined)), {
    env: { BOOTS_DHCP_FILE: subnets },
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

  it('boots by UEFI PXE and by UEFI HTTP boot, and runs an action', { timeout: 900_000 }, async () => {
    const [pxe, http] = [await powerOn(1, 'uefi6'), await powerOn(2, 'uefi-http')];

    await until(() => served(http).length > 0, patience);
    await http.machine.off();
    expect(served(http)).toEqual(['http nbp']);
    expect(offers(http)[0]).toMatchObject({
      client: 'HTTPClient',
      ip: 'fd99::12',
      bootFile: expect.stringMatching(/^http:\/\/\[fd99::1\]\/.*ipxe\.efi$/),
    });

    await until(() => pxe.story.steps.some(({ name }) => name === 'workflow'), patience);
    expect(pxe.story.steps.at(-1)?.detail).toBe('succeeded');
    expect(pxe.machine.console()).toMatch(/OSIE: t=\S+ network eth0 fd99::11\/128/);
    expect(served(pxe)).toEqual(['tftp nbp', 'http kernel', 'http initramfs', 'http rootfs']);
    expect(offers(pxe).map(({ ip, client }) => `${client} ${ip}`)).toEqual(['PXEClient fd99::11', 'iPXE fd99::11']);
    expect(offers(pxe)[0]?.bootFile).toBe('tftp://[fd99::1]/ipxe.efi');
    expect(pxe.events.map(({ event }) => event.type)).toContain('OsieStarted');
  });
});
