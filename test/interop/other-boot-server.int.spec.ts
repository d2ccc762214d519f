// Options 66 and 67, and 59 of DHCPv6, of a record, a class and a subnet: QEMU's iPXE ROM and OVMF fetch what these name from a server that
// is not boots.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { type Firmware, firmwareFiles, powerOn } from './net/firmware';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const ipxe = '.cache/ipxe/usr/lib/ipxe/snponly.efi';
const absent = [...firmwareFiles, '/usr/sbin/dnsmasq', '/usr/bin/python3', ipxe].filter((path) => !existsSync(path));
const missing = namespacesMissing() ?? (absent.length > 0 ? `needs ${absent.join(', ')}` : undefined);
if (missing) console.warn(`SKIPPED: boot files of another server: ${missing}`);

const address = '10.93.0.1';
const other = '10.93.0.2';
const other6 = 'fd93::2';
const text = (code: number, value: string) => ({ code, type: 'text', value }) as const;
/** What their records set. */
const machines = [
  { mac: '02:93:00:00:00:20', ip: '10.93.0.20', options: [text(66, other), text(67, 'own.ipxe')], options6: [] },
  { mac: '02:93:00:00:00:21', ip: '10.93.0.21', options: [text(67, `http://${other}/own.efi`)], options6: [] },
  { mac: '02:93:00:00:00:22', ip: '10.93.0.22', options: [], options6: [] },
  { mac: '02:93:00:00:00:23', ip: 'fd93::23', options: [], options6: [text(59, `tftp://[${other6}]/own.efi`)] },
] as const;
const [own, ownHttp, ofClass, own6] = machines;
/** Of no record. */
const strangers = ['02:93:00:00:01:20', '02:93:00:00:01:21'] as const;

/** Of a site that has had its iPXE elsewhere before: firmware loads that, which loads its script. */
const subnets = `
classes:
  - name: ipxe
    userClass: [iPXE]
    options: [{ code: 67, type: text, value: class.ipxe }]
  - name: uefi
    arch: [7]
    options: [{ code: 67, type: text, value: class.efi }]
subnets:
  - subnet: 10.93.0.0/24
    pools: [{ ranges: [10.93.0.100-10.93.0.120] }]
    options: [{ code: 66, type: text, value: ${other} }]
  - subnet: fd93::/64
    mode: reservation
`;

let network: Network;
let boots: BootsProcess;
let folder: string;
/** What the other server did. */
let log = '';
const closing: (() => Promise<void>)[] = [];
const running: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'other-boot-server-'));
  network = await createNetwork('bother', address, 'fd93::1');
  await startOther();
  const hardware = machines.map(({ mac, ip: own, options, options6 }, index) => {
    const base = hardwareInterface(mac.replaceAll(':', '-'), own);
    const family = own.includes(':') ? 6 : 4;
    const ip = { address: own, netmask: family === 4 ? '255.255.255.0' : '', gateway: '', family };
    return hardwareRecord({
      id: `00000000-0000-4000-8000-00000000930${index}`,
      network: { interfaces: [{ ...base, dhcp: { ...base.dhcp, ip, options, options6 } }] },
    });
  });
  const file = join(folder, 'dhcp.yaml');
  await writeFile(file, subnets);
  const settings = { BOOTS_IPXE_DIR: folder, BOOTS_DHCP_FILE: file, BOOTS_DHCP6: 'true', PUBLIC_IP6: 'fd93::1' };
  boots = await startBootsIn(network, { settings, hardware });
});
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});
afterAll(async () => {
  if (missing) return;
  await boots.stop();
  for (const stop of closing) await stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

/** By TFTP and HTTP, from a folder that boots knows nothing of. */
async function startOther(): Promise<void> {
  const server = await network.addClient('02:93:00:00:00:02');
  await runIn(server, ['ip', 'addr', 'add', `${other}/24`, 'dev', 'eth0']);
  await runIn(server, ['ip', 'addr', 'add', `${other6}/64`, 'dev', 'eth0', 'nodad']);
  const files = join(folder, 'other');
  await mkdir(files);
  for (const name of ['own', 'class']) {
    const ran = `tftp://${other}/${name}-ran-\${net0/mac:hexhyp}`;
    await writeFile(join(files, `${name}.ipxe`), `#!ipxe\nimgfetch ${ran} ||\n`);
    await copyFile(ipxe, join(files, `${name}.efi`));
  }
  const flags = ['--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--log-facility=-'];
  const tftp = ['--enable-tftp', `--tftp-root=${files}`, `--pid-file=${join(folder, 'pid')}`];
  for (const command of [
    ['dnsmasq', ...flags, ...tftp],
    ['python3', '-m', 'http.server', '-d', files, '80'],
  ]) {
    const child = spawnIn(server, command, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (bytes: Buffer) => (log += bytes.toString()));
    const ended = new Promise((resolve) => child.once('close', resolve));
    closing.push(async () => {
      child.kill('SIGKILL');
      await ended;
    });
  }
}

async function switchOn(mac: string, firmware: Firmware): Promise<void> {
  running.push(await powerOn(network, folder, mac, firmware));
}

/** It ran the script: there is no such file, and nothing else asks for it. */
const ran = (script: string, mac: string) => `${script}-ran-${mac.replaceAll(':', '-')} not found`;

describe.skipIf(missing !== undefined)('firmware is told of another server', () => {
  it('by its record: iPXE', async () => {
    await switchOn(own.mac, 'bios');
    await expect.poll(() => log).toContain(ran('own', own.mac));
    expect(log).toMatch(/sent \S+\/own\.ipxe to 10\.93\.0\.20/);
  });

  it('by its record, with a URL: UEFI HTTP boot', async () => {
    await switchOn(ownHttp.mac, 'uefi-http');
    await expect.poll(() => log).toMatch(/^10\.93\.0\.21 .*"GET \/own\.efi HTTP\/1\.1" 200/m);
  });

  it('by its record, with a URL: UEFI PXE by IPv6', async () => {
    await switchOn(own6.mac, 'uefi6');
    await expect.poll(() => log).toMatch(/sent \S+\/own\.efi to fd93::23$/m);
  });

  it.each([
    ['with a reservation', ofClass.mac],
    ['without a record', strangers[0]],
  ])('by its class, and its iPXE by another: UEFI %s', async (_, mac) => {
    await switchOn(mac, 'uefi');
    await expect.poll(() => log).toContain(ran('class', mac));
  });

  it('by its subnet, without a record: iPXE', async () => {
    await switchOn(strangers[1], 'bios');
    await expect.poll(() => log).toContain(ran('class', strangers[1]));
  });

  it('and fetches nothing from boots', () =>
    expect(boots.events.filter(({ type }) => /^(?:Netboot|Boot)/.test(type))).toEqual([]));
});
