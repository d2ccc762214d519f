// DHCPv6 clients behind relays that we did not write: dhcrelay -6, one and two in a row, each in a network namespace of its own.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { dhclient6 } from './net/dhcp-clients';
import { createNetwork, linkLocal, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const absent = ['/usr/sbin/dhcrelay', '/usr/sbin/dhclient', '/usr/bin/tcpdump'].find((path) => !existsSync(path));
const missing = namespacesMissing() ?? (absent && `needs ${absent}`);
if (missing) console.warn(`SKIPPED: DHCPv6 relays: ${missing}`);

const server = 'fd97:9::1';
/** The client's network: each relay in between has one of its own. */
const machines = [1, 2, 3].map((n) => ({
  mac: `02:96:09:00:0${n}:20`,
  link: `fd96:${n}::1`,
  address: `fd96:${n}::20`,
}));
/** Of a network that the relay has no address in. */
const shared = { mac: '02:96:09:00:04:20', link: 'fd96:4::1', address: 'fd95:4::20' };
const sharing = `
subnets:
  - subnet: fd96:4::/64
    mode: reservation
    sharedNetwork: far
  - subnet: fd95:4::/64
    range: fd95:4::a000/116
    sharedNetwork: far
`;

let network: Network;
let boots: BootsProcess;
let folder: string;
const running: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'dhcp6-relays-'));
  network = await createNetwork('bdhcp6y', '10.97.9.1', server);
  await writeFile(join(folder, 'dhcp.yaml'), sharing);
  const hardware = [...machines, shared].map(({ mac, address }, index) => {
    const base = hardwareInterface(mac.replaceAll(':', '-'), '10.97.9.9');
    const ip = { address, netmask: '', gateway: '', family: 6 };
    return hardwareRecord({
      id: `00000000-0000-4000-8000-0000000009${index + 10}`,
      network: { interfaces: [{ ...base, dhcp: { ...base.dhcp, ip } }] },
    });
  });
  const subnets = [...machines.map(({ link }) => `${link.replace('::1', '::')}/64`), 'fd94:2::/64', 'fd94:3::/64'];
  const settings = {
    ...{ BOOTS_IPXE_DIR: folder, BOOTS_DHCP: 'false', PUBLIC_IP6: server, BOOTS_DHCP6: 'true' },
    BOOTS_DHCP_FILE: join(folder, 'dhcp.yaml'),
    BOOTS_DHCP6_SUBNETS: subnets.map((subnet) => `${subnet}=reservation`).join(','),
  };
  boots = await startBootsIn(network, { settings, hardware });
});
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});
afterAll(async () => {
  if (missing) return;
  await boots.stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

/** Starts a program that tells what it does on standard error; `said` is all of that. Ends with the test. */
function start(namespace: string, ...command: readonly string[]): { said(): string; stop(): Promise<void> } {
  const child = spawnIn(namespace, command, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  running.push(stop);
  return { said: () => said, stop };
}

/** Its interface-id, by which the answer finds back, is `index`. */
const relay = (namespace: string, upper: string, index: number) => {
  const files = ['-pf', join(folder, `${namespace}.relay.pid`)];
  return start(namespace, 'dhcrelay', '-6', '-d', '-I', ...files, '-l', `down0#${index}`, '-u', upper);
};

/** On the wire of boots: `router eth0 -- bridge -- boots`. */
async function addRouter(n: number): Promise<string> {
  const router = await network.addClient(`02:97:09:00:00:0${n}`);
  await linkLocal(router);
  await runIn(router, ['ip', '-6', 'addr', 'add', `fd97:9::${n + 1}/64`, 'dev', 'eth0', 'nodad']);
  return router;
}

describe.skipIf(missing !== undefined)('dhcrelay -6', () => {
  it('brings a client of another network its address, and the answer back', async () => {
    const [{ mac, link, address } = { mac: '', link: '', address: '' }] = machines;
    const router = await addRouter(1);
    const far = await network.addBehind(router, mac, `${link}/64`);
    await linkLocal(far);
    relay(router, `${server}%eth0`, 11);
    const { leases } = await dhclient6(folder, far, ['-1']);
    expect(leases).toContain(`iaaddr ${address} {`);
    const { data } = await boots.event('LeaseBound', ({ data: { ip } }) => ip === address);
    expect(data).toMatchObject({ giaddr: link, subnet: 'fd96:1::/64', mac: mac.replaceAll(':', '-') });
    await dhclient6(folder, far, ['-x']);
  });

  it('brings clients of a link with two networks their addresses, whichever the relay is in', async () => {
    const { mac, link, address } = shared;
    const router = await addRouter(4);
    const far = await network.addBehind(router, mac, `${link}/64`);
    await linkLocal(far);
    relay(router, `${server}%eth0`, 11);
    expect((await dhclient6(folder, far, ['-1'])).leases).toContain(`iaaddr ${address} {`);
    await dhclient6(folder, far, ['-x']);
    await runIn(far, ['ip', 'link', 'set', 'eth0', 'address', '02:96:09:00:04:21']);
    await runIn(far, ['ip', 'link', 'set', 'eth0', 'down']);
    await runIn(far, ['ip', 'link', 'set', 'eth0', 'up']);
    await linkLocal(far);
    await rm(join(folder, `${far}.leases`));
    expect((await dhclient6(folder, far, ['-1'])).leases).toMatch(/iaaddr fd95:4::a[0-9a-f]{3} \{/);
    await dhclient6(folder, far, ['-x']);
  });

  /** client eth0 -- down0 inner eth0 (fd94:<n>::2) -- down0 (fd94:<n>::1) outer eth0 -- bridge -- boots */
  it.each([
    [2, 'by multicast', 'ff02::1:2%eth0', 'ff05::1:3%eth0'],
    [3, 'by unicast', 'fd94:3::1%eth0', `${server}%eth0`],
  ] as const)('brings one behind two of them its address (%i: %s)', async (n, _, toOuter, toBoots) => {
    const { mac, link, address } = machines[n - 1] ?? { mac: '', link: '', address: '' };
    const outer = await addRouter(n);
    const inner = await network.addBehind(outer, `02:94:09:00:00:0${n}`, `fd94:${n}::1/64`);
    await runIn(inner, ['ip', '-6', 'addr', 'add', `fd94:${n}::2/64`, 'dev', 'eth0', 'nodad']);
    await linkLocal(inner);
    const far = await network.addBehind(inner, mac, `${link}/64`);
    await linkLocal(far);
    const file = join(folder, `wire-${n}.pcap`);
    const wire = start(outer, 'tcpdump', '-i', 'eth0', '-U', '-w', file, 'udp port 547');
    await expect.poll(wire.said).toContain('listening on eth0');
    const relays = [relay(outer, toBoots, 11), relay(inner, toOuter, 22)];
    const { leases } = await dhclient6(folder, far, ['-1']);
    expect(leases).toContain(`iaaddr ${address} {`);
    const { data } = await boots.event('LeaseBound', ({ data: { ip } }) => ip === address);
    expect(data).toMatchObject({ giaddr: link, subnet: `fd96:${n}::/64`, mac: mac.replaceAll(':', '-') });
    await dhclient6(folder, far, ['-r']);
    await boots.event('LeaseReleased', ({ data: { ip } }) => ip === address);
    for (const { said } of relays) expect(said()).toMatch(/going up[^]* down\./);

    const ids =
      /dhcp6 (relay-\w+) .*\(interface-ID (\w+)\.*\) \(relay-message \(dhcp6 (relay-\w+) .*\(interface-ID (\w+)\.*\)/;
    const onWire = async () => {
      const { stdout } = await runIn(outer, ['tcpdump', '-tvvnr', file]);
      const lines = stdout.trimEnd().split('\n');
      return new Set(lines.map((line) => ids.exec(line)?.slice(1).join(' ') ?? line));
    };
    const [asked, answered] = ['relay-fwd 0b000000 relay-fwd 16000000', 'relay-reply 0b000000 relay-reply 16000000'];
    await expect.poll(onWire).toEqual(new Set([asked, answered]));
  });
});
