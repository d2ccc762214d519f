// boots beside a DHCP server that gives out the addresses (dnsmasq), asked by real firmware: QEMU's iPXE ROM and OVMF.
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  broadcastFlag,
  decodePacket,
  type DhcpPacket,
  encodePacket,
  messageType,
  noAddress,
  option,
  readOption,
  requestedAddress,
  serverIdentifier,
  vendorClass,
} from '@tinkerbell/dhcp';
import type { HardwareRecord } from '@tinkerbell/events';
import { hardwareInterface, hardwareRecord, readCapture } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { type Firmware, firmwareFiles, powerOn } from './net/firmware';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const programs = ['/usr/sbin/dnsmasq', ...firmwareFiles, '/bin/busybox', '/usr/sbin/dhcrelay'];
const absent = programs.filter((path) => !existsSync(path));
const missing = namespacesMissing() ?? (absent.length > 0 ? `needs ${absent.join(', ')}` : undefined);
if (missing) console.warn(`SKIPPED: ProxyDHCP in network namespaces: ${missing}`);

const boots = '10.94.0.1';
const other = '10.94.0.2';
const router = '10.94.0.3';
const machines = [20, 21, 22].map((n) => ({
  mac: `02:94:00:00:00:${n}`,
  id: `02-94-00-00-00-${n}`,
  ip: `10.94.0.${n}`,
}));
const [bios = machines[0], uefi = machines[1], system = machines[2]] = machines;
const record = ({ id, ip }: (typeof machines)[number], index: number): HardwareRecord =>
  hardwareRecord({
    id: `00000000-0000-4000-8000-00000000940${index}`,
    network: { interfaces: [hardwareInterface(id, ip)] },
  });

let network: Network;
let service: BootsProcess;
let folder: string;
const running: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'dhcp-proxy-'));
  await writeFile(join(folder, 'ipxe.efi'), 'a boot program, by name');
  await writeFile(join(folder, 'script'), '#!/bin/sh\n[ "$1" = bound ] && set > "$DUMP"\nexit 0\n');
  await chmod(join(folder, 'script'), 0o755);
  network = await createNetwork('bproxy', boots);
  const server = await network.addClient('02:94:00:00:00:02');
  await runIn(server, ['ip', 'addr', 'add', `${other}/24`, 'dev', 'eth0']);
  const hosts = machines.map(({ mac, ip }) => `--dhcp-host=${mac},${ip}`);
  await runIn(server, ['ip', 'route', 'add', '10.95.0.0/24', 'via', router]);
  const far = '--dhcp-range=10.95.0.100,10.95.0.150,255.255.255.0';
  const files = [`--pid-file=${join(folder, 'pid')}`, `--dhcp-leasefile=${join(folder, 'leases')}`];
  const command = ['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', ...files];
  const dnsmasq = spawnIn(server, [...command, '--dhcp-range=10.94.0.100,10.94.0.150,255.255.255.0', far, ...hosts], {
    stdio: 'ignore',
  });
  closing.push(async () => void dnsmasq.kill('SIGKILL'));
  const settings = { BOOTS_DHCP_MODE: 'proxy', BOOTS_IPXE_DIR: folder };
  service = await startBootsIn(network, { settings, hardware: machines.map(record) });
});
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});
afterAll(async () => {
  if (missing) return;
  await service.stop();
  for (const stop of closing) await stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

async function switchOn(mac: string, firmware: Firmware): Promise<void> {
  running.push(await powerOn(network, folder, mac, firmware));
}

describe.skipIf(missing !== undefined)('boots as ProxyDHCP', () => {
  it('gives iPXE its script, which has its address from the other server', async () => {
    await switchOn(bios?.mac ?? '', 'bios');
    const offered = await service.event('NetbootOffered', ({ data }) => data.mac === bios?.id);
    expect(offered.data).toMatchObject({ client: 'iPXE', bootFile: `http://${boots}/${bios?.mac}/auto.ipxe` });
    await service.event('BootScriptServed', ({ data }) => data.mac === bios?.id);
  });

  it('gives UEFI firmware its boot program', async () => {
    await switchOn(uefi?.mac ?? '', 'uefi');
    const offered = await service.event('NetbootOffered', ({ data }) => data.mac === uefi?.id);
    expect(offered.data).toMatchObject({ client: 'PXEClient', arch: 7, bootFile: 'ipxe.efi' });
    const served = await service.event('BootFileServed', ({ data }) => data.mac === uefi?.id);
    expect(served.data).toMatchObject({ protocol: 'tftp', role: 'nbp', file: 'ipxe.efi' });
  });

  it('leaves an operating system to the other server', async () => {
    const namespace = await network.addClient(system?.mac ?? '');
    const dump = join(folder, 'env');
    const flags = ['-i', 'eth0', '-q', '-n', '-s', join(folder, 'script')];
    const command = `DUMP=${dump} exec busybox udhcpc ${flags.join(' ')}`;
    const { code } = await runIn(namespace, ['sh', '-c', command]);
    expect(code).toBe(0);
    const said = readFileSync(dump, 'latin1');
    expect(said).toContain(`serverid='${other}'`);
    expect(said).toContain(`ip='${system?.ip}'`);
  });

  it('answers firmware that asks port 4011, and from there', async () => {
    const { port, reply } = await askAt4011(30, uefi?.mac ?? '');
    expect(port).toBe('4011');
    expect(readOption(reply.options, messageType)).toBe('ack');
    expect(readOption(reply.options, vendorClass)).toBe('PXEClient');
    expect(reply).toMatchObject({ yiaddr: '0.0.0.0', ciaddr: '10.94.0.30', siaddr: boots, file: 'ipxe.efi' });
  });

  it('has leased nothing to anybody', () =>
    expect(service.events.filter(({ type }) => type.startsWith('Lease'))).toEqual([]));
});

describe.skipIf(missing !== undefined)('boots as ProxyDHCP for machines without a record', () => {
  const stranger = '02:94:00:00:01:01';
  const id = stranger.replaceAll(':', '-');

  beforeAll(async () => {
    if (missing) return;
    await service.stop();
    // The iPXE that setup has fetched.
    const settings = { BOOTS_DHCP_MODE: 'auto-proxy', BOOTS_OSIE_DIR: folder };
    service = await startBootsIn(network, { settings, hardware: [], syslog: true });
  });

  it('boots them for discovery through our iPXE, at the address that they have from the other server', async () => {
    await switchOn(stranger, 'uefi');
    const { data } = await service.event('BootScriptServed', (event) => event.data.mac === id);
    expect(data).toMatchObject({ script: 'discovery', hardwareId: null });
    expect(data.address).toMatch(/^10\.94\.0\.1[0-5]\d$/);
    // No lease of ours says whose the address is: ARP does.
    const served = await service.event('BootFileServed', (event) => event.data.mac === id);
    expect(served.data).toMatchObject({ hardwareId: null, protocol: 'tftp', file: 'ipxe.efi' });
  });

  it('knows what they fetch from behind a relay, by what they asked the other server for', async () => {
    const mac = '02:94:00:00:01:04';
    const relay = await network.addClient('02:94:00:00:00:03');
    const behind = await network.addBehind(relay, mac, '10.95.0.1/24');
    await runIn(relay, ['ip', 'addr', 'add', `${router}/24`, 'dev', 'eth0']);
    await runIn(relay, ['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
    await runIn(network.server, ['ip', 'route', 'add', '10.95.0.0/24', 'via', router]);
    // As the npm package dhcp does: with no route there is no broadcast.
    await runIn(behind, ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
    const flags = ['-4', '-d', '-pf', join(folder, 'relay.pid'), '-id', 'down0', '-iu', 'eth0', boots, other];
    const dhcrelay = spawnIn(relay, ['dhcrelay', ...flags], { stdio: 'ignore' });
    running.push(async () => void dhcrelay.kill('SIGKILL'));

    const discover = firmwareOf(mac, 'discover');
    const offers = await told(behind, discover, 2);
    const address = offers.find(({ yiaddr }) => yiaddr !== noAddress)?.yiaddr ?? '';
    expect(address).toMatch(/^10\.95\.0\.1\d\d$/);
    expect(offers.find(({ yiaddr }) => yiaddr === noAddress)).toMatchObject({ siaddr: boots, file: 'ipxe.efi' });
    const chosen = [option(requestedAddress, address), option(serverIdentifier, other)];
    const [ack] = await told(behind, firmwareOf(mac, 'request', chosen), 1);
    expect(ack).toMatchObject({ yiaddr: address });

    await runIn(behind, ['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
    await runIn(behind, ['ip', 'route', 'replace', 'default', 'via', '10.95.0.1']);
    const fetched = (url: string) => runIn(behind, ['curl', '-sSf', '-o', '/dev/null', url]);
    const results = [
      await fetched(`tftp://${boots}/ipxe.efi`),
      await fetched(`http://${boots}/${mac}/auto.ipxe`),
      await fetched(`http://${boots}/osie/script`),
    ];
    expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual(results.map(() => ({ code: 0, stderr: '' })));
    const id = mac.replaceAll(':', '-');
    const served = await service.event('BootFileServed', ({ data }) => data.mac === id && data.protocol === 'http');
    expect(served.data).toMatchObject({ hardwareId: null, address, file: 'script' });
    const fetches = service.eventsOf(id).filter(({ type }) => type !== 'NetbootOffered');
    expect(fetches.map(({ type, data }) => ('file' in data ? `${type} ${data.file}` : type))).toEqual([
      ...['BootFileServed ipxe.efi', 'BootScriptServed', 'BootFileServed script'],
    ]);

    const say = (text: string) => ['bash', '-c', `exec 3<>/dev/udp/${boots}/514; echo '<13>${text}' >&3`];
    await runIn(behind, ['ip', 'addr', 'add', '10.95.0.99/24', 'dev', 'eth0']);
    await runIn(behind, ['ip', 'route', 'replace', boots, 'via', '10.95.0.1', 'src', '10.95.0.99']);
    expect(await runIn(behind, say('osie: of an address that nobody asked for'))).toMatchObject({ code: 0 });
    await runIn(behind, ['ip', 'route', 'replace', boots, 'via', '10.95.0.1', 'src', address]);
    expect(await runIn(behind, say('osie: by a relay'))).toMatchObject({ code: 0 });
    await expect
      .poll(() => service.logged, { timeout: 20_000 })
      .toMatchObject([{ mac: id, address, line: 'by a relay' }]);
    const { stdout: metrics } = await runIn(network.server, ['curl', '-sS', `http://${boots}/metrics`]);
    expect(metrics).toContain('boots_syslog_dropped_total{reason="unknown-sender"} 1');
  });

  it('answers their firmware at port 4011', async () => {
    const { port, reply } = await askAt4011(31, '02:94:00:00:01:02');
    expect(port).toBe('4011');
    expect(reply).toMatchObject({ yiaddr: '0.0.0.0', ciaddr: '10.94.0.31', siaddr: boots, file: 'ipxe.efi' });
  });

  it('leaves their operating systems to the other server', async () => {
    const namespace = await network.addClient('02:94:00:00:01:03');
    const command = `DUMP=${join(folder, 'env')} exec busybox udhcpc -i eth0 -q -n -s ${join(folder, 'script')}`;
    expect((await runIn(namespace, ['sh', '-c', command])).code).toBe(0);
    expect(readFileSync(join(folder, 'env'), 'latin1')).toContain(`serverid='${other}'`);
    expect(service.events.filter(({ type }) => type.startsWith('Lease'))).toEqual([]);
  });
});

/** What OVMF sends, with the MAC of another card. */
function firmwareOf(
  mac: string,
  type: 'discover' | 'request',
  more: readonly (readonly [number, Uint8Array])[] = [],
  ciaddr = noAddress,
): DhcpPacket {
  const [discover = new Uint8Array()] = readCapture('efi-x64-pxe-snponly2019.pcap');
  const asked = decodePacket(discover);
  const chaddr = Uint8Array.from(mac.split(':'), (pair) => parseInt(pair, 16));
  const options = new Map([...asked.options, option(messageType, type), ...more]);
  return { ...asked, flags: ciaddr === noAddress ? broadcastFlag : 0, ciaddr, chaddr, options };
}

const hexOf = (packet: DhcpPacket) => Buffer.from(encodePacket(packet, { maxSize: 1500 })).toString('hex');
const packetOf = (hex: string) => decodePacket(new Uint8Array(Buffer.from(hex, 'hex')));

/** Sends to everybody from port 68; the first `count` replies. */
async function told(namespace: string, packet: DhcpPacket, count: number): Promise<readonly DhcpPacket[]> {
  const client = `
      const socket = require('dgram').createSocket('udp4');
      const send = () => socket.send(Buffer.from('${hexOf(packet)}', 'hex'), 67, '255.255.255.255');
      const again = setInterval(send, 1000);
      const heard = new Set();
      socket.on('message', (bytes) => {
        if (heard.has(bytes.toString('hex'))) return;
        heard.add(bytes.toString('hex'));
        console.log(bytes.toString('hex'));
        if (heard.size < ${count}) return;
        clearInterval(again);
        socket.close();
      });
      socket.bind(68, () => { socket.setBroadcast(true); send(); });`;
  const { stdout, stderr } = await runIn(namespace, [process.execPath, '-e', client]);
  expect(stderr).toBe('');
  return stdout.trim().split('\n').map(packetOf);
}

/** As firmware that has the address already and wants to know what to boot. */
async function askAt4011(host: number, mac: string) {
  const namespace = await network.addClient(`02:94:00:00:02:${host}`);
  await runIn(namespace, ['ip', 'addr', 'add', `10.94.0.${host}/24`, 'dev', 'eth0']);
  const request = firmwareOf(mac, 'request', [], `10.94.0.${host}`);
  const client = `
      const socket = require('dgram').createSocket('udp4');
      socket.on('message', (bytes, { port }) => {
        process.stdout.write(port + ' ' + bytes.toString('hex'));
        socket.close();
      });
      socket.bind(1068, () => socket.send(Buffer.from('${hexOf(request)}', 'hex'), 4011, '${boots}'));`;
  const { stdout, stderr } = await runIn(namespace, [process.execPath, '-e', client]);
  expect(stderr).toBe('');
  const [port, hex = ''] = stdout.split(' ');
  return { port, reply: packetOf(hex) };
}
