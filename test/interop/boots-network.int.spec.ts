// boots on a real network: several interfaces, a machine that leases and then fetches, router advertisements.
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const missing = namespacesMissing() ?? (existsSync('/usr/sbin/udhcpc') ? undefined : 'needs udhcpc');
if (missing) console.warn(`SKIPPED: boots in network namespaces: ${missing}`);
const hasRadvd = existsSync('/usr/sbin/radvd') && existsSync('/usr/bin/tcpdump');

const address = '10.95.0.20';
const mac = '02:95:00:00:00:01';
const kernel = 'kernel'.repeat(5000);
let network: Network;
let boots: BootsProcess;
let client: string;
let folder: string;

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'boots-network-'));
  await mkdir(join(folder, 'osie'));
  await writeFile(join(folder, 'osie', 'vmlinuz-x86_64'), kernel);
  await writeFile(
    join(folder, 'script'),
    '#!/bin/sh\n[ -n "$ip" ] && ip addr replace "$ip/24" dev "$interface"\nexit 0\n',
  );
  await chmod(join(folder, 'script'), 0o755);
  network = await createNetwork('bnet', '10.95.0.1');
  // A host with more than one interface, whose default route leads elsewhere.
  await runIn(network.server, ['ip', 'link', 'add', 'other0', 'type', 'dummy']);
  await runIn(network.server, ['ip', 'addr', 'add', '172.31.255.1/24', 'dev', 'other0']);
  await runIn(network.server, ['ip', 'link', 'set', 'other0', 'up']);
  await runIn(network.server, ['ip', 'route', 'add', 'default', 'dev', 'other0']);
  client = await network.addClient(mac);
  const base = hardwareInterface(mac.replaceAll(':', '-'), address);
  const ip = { address, netmask: '255.255.255.0', gateway: '10.95.0.1', family: 4 };
  const hardware = [hardwareRecord({ network: { interfaces: [{ ...base, dhcp: { ...base.dhcp, ip } }] } })];
  const settings = {
    // udhcpc has no use for the script's URL, and so no ticket.
    BOOTS_SCRIPT_TICKETS: 'false',
    BOOTS_IPXE_DIR: folder,
    BOOTS_OSIE_DIR: join(folder, 'osie'),
    BOOTS_RA_INTERFACE: hasRadvd ? network.bridge : '',
  };
  boots = await startBootsIn(network, { settings, hardware });
});
afterAll(async () => {
  if (missing) return;
  await boots.stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(missing !== undefined)('boots on a host with two interfaces', () => {
  it('answers a broadcast on the interface that has its address, and serves what the machine then asks for', async () => {
    const { code } = await runIn(client, [
      'udhcpc',
      '-n',
      '-q',
      '-f',
      '-i',
      'eth0',
      '-s',
      join(folder, 'script'),
      '-t',
      '5',
      '-T',
      '1',
    ]);
    expect(code).toBe(0);
    const { data } = await boots.event('LeaseBound');
    expect(data).toMatchObject({ ip: address, mac: mac.replaceAll(':', '-') });

    const get = (...args: readonly string[]) => runIn(client, ['curl', '-sS', '--max-time', '10', ...args]);
    const script = await get(`http://10.95.0.1/${mac}/auto.ipxe`);
    expect(script.stdout).toContain('set base http://10.95.0.1/osie');
    expect((await get('-r', '6-11', 'http://10.95.0.1/osie/vmlinuz-x86_64')).stdout).toBe('kernel');
    expect((await get('http://10.95.0.1/osie/vmlinuz-x86_64')).stdout).toBe(kernel);
    await boots.event(
      'BootFileServed',
      ({ data: served }) => served.role === 'kernel' && served.bytes === kernel.length,
    );
    await get('-d', '{"type":"osie.started","uptimeSeconds":3}', 'http://10.95.0.1/phone-home');
    await boots.event('OsieStarted', ({ data: told }) => told.uptimeSeconds === 3);
    await get('-X', 'POST', 'http://10.95.0.1/phone-home');
    await boots.event('MachinePhonedHome', ({ data: told }) => told.address === address);

    const elsewhere = await runIn(network.server, [
      'curl',
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      `http://10.95.0.1/${mac}/auto.ipxe`,
    ]);
    expect(elsewhere.stdout).toBe('403');
  });

  it.skipIf(!hasRadvd)('sends router advertisements that announce nothing', async () => {
    const { stdout } = await runIn(client, [
      'tcpdump',
      '-i',
      'eth0',
      '-c',
      '1',
      '-nn',
      '-v',
      'icmp6 and ip6[40] = 134',
    ]);
    expect(stdout).toContain('router lifetime 0s');
    expect(stdout).not.toContain('prefix info option');
  });

  it('ends when it is told to, radvd with it', async () => {
    const second = spawnIn(network.server, ['sleep', '60'], { stdio: 'ignore' });
    await boots.stop();
    const { stdout } = await runIn(client, ['ip', 'netns', 'pids', network.server]);
    expect(stdout.trim().split('\n')).toEqual([String(second.pid)]);
    second.kill('SIGKILL');
  });
});
