// Floods of what is not DHCP of IPv4: while each lasts a machine with a record is served by IPv4 and by IPv6, and memory stays bounded.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { dhclient } from './net/dhcp-clients';
import { amid, type Attack, type Flood, mostMiB, repeated, startFlood } from './net/flood';
import { createNetwork, linkLocal, namespacesMissing, type Network, runIn } from './net/namespace';

const absent = ['/usr/sbin/dhclient', '/usr/bin/curl'].find((path) => !existsSync(path));
const missing = namespacesMissing() ?? absent;
if (missing) console.warn(`SKIPPED: floods in network namespaces: ${missing}`);

const [server, server6] = ['10.86.0.1', 'fd86::1'];
const victim = { mac: '02:86:00:00:00:10', address: '10.86.0.10' };
const subnets = `
subnets:
  - subnet: 10.86.0.0/16
    leaseSeconds: 600
    pools: [{ ranges: [10.86.64.0-10.86.127.255] }]
  - { subnet: "fd86::/64", range: "fd86::a000/116", nameServers: ["fd86::53"] }
`;

let network: Network;
let boots: BootsProcess;
let folder: string;
let enemy: string;
let home: string;
let macs = 20;

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'floods-'));
  await writeFile(join(folder, 'dhcp.yaml'), subnets);
  network = await createNetwork('bfloods', server, server6);
  await runIn(network.server, ['ip', 'addr', 'replace', `${server}/16`, 'dev', 'br0']);
  const settings = {
    ...{ BOOTS_IPXE_DIR: folder, BOOTS_DHCP_FILE: join(folder, 'dhcp.yaml'), BOOTS_DHCP6: 'true' },
    PUBLIC_IP6: server6,
  };
  const id = victim.mac.replaceAll(':', '-');
  const hardware = [
    hardwareRecord({
      id: '00000000-0000-4000-8000-000000008610',
      network: { interfaces: [hardwareInterface(id, victim.address)] },
    }),
  ];
  boots = await startBootsIn(network, { settings, hardware, syslog: true });
  home = await network.addClient(victim.mac);
  enemy = await network.addClient('02:86:00:00:00:66');
  for (const address of ['10.86.0.66/16', 'fd86::66/64'])
    await runIn(enemy, ['ip', 'addr', 'add', address, 'dev', 'eth0', ...(address.includes(':') ? ['nodad'] : [])]);
  await runIn(enemy, ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
});
afterAll(async () => {
  if (missing) return;
  await boots.stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

/** It comes by IPv4, and goes. */
async function isServed(): Promise<void> {
  const run = await dhclient(folder, home, '-1');
  await dhclient(folder, home, '-r');
  expect(run.address).toBe(victim.address);
}

/** A machine without a record asks by IPv6 for an address of the range, and gives it back. */
async function isServed6(): Promise<void> {
  const mac = `02:86:06:00:00:${macs++}`;
  const namespace = await network.addClient(mac);
  await linkLocal(namespace);
  const file = (suffix: string) => join(folder, `${namespace}.${suffix}`);
  const files = ['-cf', '/dev/null', '-lf', file('leases'), '-pf', file('pid'), '-sf', '/bin/true'];
  const { stderr } = await runIn(namespace, ['dhclient', '-6', '-v', '-1', ...files, 'eth0'], { timeoutMs: 90_000 });
  expect(stderr).toContain('RCV: Reply message');
  const id = mac.replaceAll(':', '-');
  await boots.event('LeaseBound', ({ data }) => data.mac === id && data.ip.startsWith('fd86::a'));
  await runIn(namespace, ['dhclient', '-6', '-x', ...files, 'eth0']);
}

/** `least`: messages of the attack; others act while it lasts. */
async function bounded(attack: Promise<Attack>, least: number, others: () => Promise<void>): Promise<void> {
  const before = await boots.residentMiB();
  const overlap = await amid(await attack, least, others);
  expect(overlap.after).toBeGreaterThan(overlap.before);
  expect((await boots.residentMiB()) - before).toBeLessThan(mostMiB(overlap));
  expect(boots.log()).not.toMatch(/error boots/);
}

type Endless<T> = T extends unknown ? Omit<T, 'count'> : never;
const most = 5_000_000;
const flood = (namespace: string, what: Endless<Flood>) => startFlood(namespace, { ...what, count: most });

describe.skipIf(missing !== undefined)('a machine is served while there come', () => {
  it(
    '10,000 DISCOVERs, each for an address that has to be probed',
    () => bounded(flood(enemy, { kind: 'dhcp', type: 'discover', address: '0.0.0.0', server }), 10_000, isServed),
    120_000,
  );

  it(
    '10,000 DHCPv6 messages inside of 32 relays',
    () => bounded(flood(enemy, { kind: 'dhcp6-nested', target: server6, port: 547 }), 10_000, isServed6),
    120_000,
  );

  it(
    '2,000 DHCPv6 messages of 54 KB that ask for one option 12,000 times',
    () => bounded(flood(enemy, { kind: 'dhcp6-options', target: server6, port: 547 }), 2000, isServed6),
    120_000,
  );

  it(
    '10,000 TFTP requests of 60 options each',
    () => bounded(flood(enemy, { kind: 'tftp-options', target: server, port: 69 }), 10_000, isServed),
    120_000,
  );

  it('50,000 lines of syslog of a machine without a record, and its own lines are kept', async () => {
    const chatty = await network.addClient('02:86:00:00:00:67');
    const [theirs, own] = [await dhclient(folder, chatty, '-1'), await dhclient(folder, home, '-1')];
    await runIn(chatty, ['ip', 'addr', 'add', `${theirs.address}/16`, 'dev', 'eth0']);
    await runIn(home, ['ip', 'addr', 'replace', `${own.address}/16`, 'dev', 'eth0']);
    const send = `
      const socket = require('node:dgram').createSocket('udp4');
      socket.send('<6>kernel: a real line', 514, '${server}', () => socket.close());`;
    const isKept = async () => {
      // What is sent by UDP may be lost.
      await runIn(home, [process.execPath, '-e', send]);
      return boots.logged.some(({ address, line }) => address === victim.address && line === 'a real line');
    };
    const kept = () => expect.poll(isKept, { timeout: 60_000 }).toBe(true);
    await bounded(flood(chatty, { kind: 'syslog', target: server, port: 514 }), 50_000, kept);
    const lines = boots.logged.filter(({ address }) => address === theirs.address);
    expect(lines.length).toBeGreaterThan(0);
    // A burst of 2,000, and one a second.
    expect(lines.length).toBeLessThan(2200);
    for (const namespace of [chatty, home]) await dhclient(folder, namespace, '-r');
    await runIn(home, ['ip', 'addr', 'flush', 'dev', 'eth0', 'scope', 'global']);
  }, 120_000);

  it('1,000 guesses of the ticket of its script, none of which is right', async () => {
    const url = `http://${server}/${victim.mac}/auto.ipxe?ticket=${'A'.repeat(18)}[1000-1099]`;
    const asking = ['curl', '-s', '-Z', '--parallel-max', '50', '-o', '/dev/null', '-w', '%{http_code}\n', url];
    const guess = async () => {
      const { stdout } = await runIn(enemy, asking, { timeoutMs: 100_000 });
      const codes = stdout.trim().split('\n');
      expect(new Set(codes)).toEqual(new Set(['403']));
      return codes.length;
    };
    await bounded(Promise.resolve(repeated(guess)), 1000, isServed);
    const failed = boots.events.filter(({ type }) => type === 'BootRequestFailed').length;
    // Kept, and not one by one.
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(200);
  }, 120_000);

  // Last: it takes every address of the range.
  it('10,000 DUIDs that each take an address by rapid commit', async () => {
    await bounded(flood(enemy, { kind: 'dhcp6-duids', target: 'ff02::1:2%eth0', port: 547 }), 10_000, isServed);
    const taken = boots.events.filter((event) => event.type === 'LeaseBound' && event.data.ip.startsWith('fd86::a'));
    expect(taken.length).toBeGreaterThan(100);
    expect(taken.length).toBeLessThanOrEqual(4096 + 10);
  }, 120_000);
});
