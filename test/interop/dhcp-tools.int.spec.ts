// systemd-networkd as a DHCP client, and the tools that network engineers test a DHCP server with: dhcping, nmap's scripts, perfdhcp.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { networkd } from './net/dhcp-clients';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const missing = namespacesMissing();
if (missing) console.warn(`SKIPPED: DHCP tools in network namespaces: ${missing}`);
const skips = (program: string) => missing !== undefined || !existsSync(program);

const server = '10.91.0.1';
const machine = (mac: string, number: number) => ({
  mac,
  id: mac.replaceAll(':', '-'),
  address: `10.91.0.${number}`,
});
const configured = machine('02:91:00:00:00:10', 10);
const pinged = machine('02:91:00:00:00:11', 11);
const informed = machine('02:91:00:00:00:12', 12);
const scanned = machine('02:91:00:00:00:13', 13);
const loaded = machine('00:0c:01:02:03:04', 14);
const machines = [configured, pinged, informed, scanned, loaded];

let network: Network;
let boots: BootsProcess;
let folder: string;

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'dhcp-tools-'));
  network = await createNetwork('btools', server);
  const hardware = machines.map(({ id, address }, i) =>
    hardwareRecord({
      id: `00000000-0000-4000-8000-0000000000${i + 10}`,
      network: { interfaces: [hardwareInterface(id, address)] },
    }),
  );
  boots = await startBootsIn(network, { settings: { BOOTS_IPXE_DIR: folder }, hardware });
});
afterAll(async () => {
  if (missing) return;
  await boots.stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(skips('/lib/systemd/systemd-networkd'))('systemd-networkd', () => {
  const settings = ['[Match]', 'Name=eth0', '[Network]', 'DHCP=ipv4', 'LinkLocalAddressing=no', ''].join('\n');

  it('takes its lease and configures it', async () => {
    const { mac, id, address } = configured;
    const namespace = await network.addClient(mac);
    const client = spawnIn(namespace, networkd, { stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => client.once('close', resolve));
    let log = '';
    const isConfigured = new Promise<void>((resolve) =>
      client.stderr?.on('data', (bytes: Buffer) => {
        log += bytes.toString();
        if (log.includes('State changed: configuring -> configured')) resolve();
      }),
    );
    client.stdin?.end(`${settings}[DHCPv4]\nUseHostname=no\n`);
    try {
      const { data } = await boots.event('LeaseBound', ({ data }) => data.mac === id);
      expect(data.ip).toBe(address);
      await Promise.race([isConfigured, ended]);
      expect(log).toContain(`DHCPv4 address ${address}/29, gateway 192.168.1.1 acquired from ${server}`);
    } finally {
      client.kill('SIGTERM');
      await ended;
    }
  });
});

describe.skipIf(skips('/usr/sbin/dhcping'))('dhcping', () => {
  it.each([
    ['a REQUEST, and a RELEASE', [], pinged],
    ['an INFORM', ['-i'], informed],
  ] as const)('gets an answer to %s', async (_what, flags, { mac, address }) => {
    const namespace = await network.addClient(mac);
    await runIn(namespace, ['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
    const { stdout, code } = await runIn(namespace, ['dhcping', ...flags, '-c', address, '-h', mac, '-s', server]);
    expect({ stdout, code }).toEqual({ stdout: `Got answer from: ${server}\n`, code: 0 });
  });
});

describe.skipIf(skips('/usr/bin/nmap'))('nmap', () => {
  it('finds the server, and reads what it offers', async () => {
    const namespace = await network.addClient('02:91:00:00:00:99');
    await runIn(namespace, ['ip', 'addr', 'add', '10.91.0.99/24', 'dev', 'eth0']);
    const { mac, address } = scanned;
    const flags = ['-e', 'eth0', '--script-args', `broadcast-dhcp-discover.mac=${mac}`];
    const { stdout } = await runIn(namespace, ['nmap', '--script', 'broadcast-dhcp-discover', ...flags]);
    for (const line of [`IP Offered: ${address}`, 'DHCP Message Type: DHCPOFFER', `Server Identifier: ${server}`]) {
      expect(stdout).toContain(line);
    }
  });
});

describe.skipIf(skips('/usr/sbin/perfdhcp'))('perfdhcp', () => {
  it('leases by four messages, as a relay', async () => {
    const { mac, address } = loaded;
    const namespace = await network.addClient('02:91:00:00:00:98');
    await runIn(namespace, ['ip', 'addr', 'add', '10.91.0.98/24', 'dev', 'eth0']);
    const flags = ['-4', '-l', 'eth0', '-R', '1', '-n', '3', '-r', '10', '-W', '500000', '-b', `mac=${mac}`];
    const { stdout, code } = await runIn(namespace, ['perfdhcp', ...flags, server]);
    expect(stdout).toMatch(/REQUEST-ACK\*\*\*\nsent packets: 3\nreceived packets: 3\ndrops: 0/);
    expect(code).toBe(0);
    const { data } = await boots.event('LeaseBound', ({ data }) => data.ip === address);
    expect(data.giaddr).toBe('10.91.0.98');
  });
});
