// Machines without a record take addresses from a pool, with clients that we did not write: dhclient, udhcpc, dhcpcd, through dhcrelay.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { dhclient, udhcpc } from './net/dhcp-clients';
import { amid, mostMiB, startFlood } from './net/flood';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const programs = ['/usr/sbin/dhclient', '/bin/busybox', '/usr/sbin/dhcpcd', '/usr/sbin/dhcrelay'];
const absent = programs.find((path) => !existsSync(path));
const missing = namespacesMissing() ?? absent;
if (missing) console.warn(`SKIPPED: DHCP pools in network namespaces: ${missing}`);

const server = '10.89.0.1';
const subnets = `
classes:
  - { name: phones, vendorClass: [Acme Phone], options: [{ code: 150, type: ips, value: [10.89.0.5] }] }
  - { name: kiosks, userClass: [kiosk] }
  - { name: makers, oui: ['02:8a'] }
subnets:
  - subnet: 10.89.0.0/24
    name: lab
    sharedNetwork: wire
    router: ${server}
    nameServers: [10.89.0.53]
    domain: lab.example
    leaseSeconds: 600
    pools:
      - { name: phones, ranges: [10.89.0.70-10.89.0.71], classes: [phones] }
      - { name: kiosks, ranges: [10.89.0.72-10.89.0.73], classes: [kiosks] }
      - { name: makers, ranges: [10.89.0.74-10.89.0.75], classes: [makers] }
      - { name: lab, ranges: [10.89.0.50-10.89.0.59] }
  - subnet: 10.87.0.0/24
    name: annexe
    sharedNetwork: wire
    router: 10.87.0.1
    nameServers: [10.87.0.53]
    timeServers: [10.87.0.123]
    options: [{ code: 7, type: ips, value: [10.87.0.14] }]
    pools: [{ ranges: [10.87.0.20-10.87.0.21] }]
  - subnet: 10.88.1.0/24
    name: rack
    router: 10.88.1.1
    probe: false
    pools: [{ ranges: [10.88.1.20-10.88.1.21] }]
`;

let network: Network;
let boots: BootsProcess;
let folder: string;
let macs = 10;
const running: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'dhcp-pool-'));
  await writeFile(join(folder, 'dhcp.yaml'), subnets);
  network = await createNetwork('bpool', server);
  const settings = { BOOTS_IPXE_DIR: folder, BOOTS_DHCP_FILE: join(folder, 'dhcp.yaml') };
  boots = await startBootsIn(network, { settings, hardware: [] });
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

async function client(maker = '02:89') {
  const mac = `${maker}:00:00:00:${macs++}`;
  return { namespace: await network.addClient(mac), id: mac.replaceAll(':', '-') };
}

function startUdhcpc(namespace: string, flags: readonly string[] = []) {
  const client = udhcpc(folder, namespace, flags);
  running.push(() => client.stop());
  return client;
}

describe.skipIf(missing !== undefined)('a machine without a record', () => {
  it('gets an address, and the same one again: after a restart, and after it gave it back', async () => {
    const { namespace, id } = await client();
    const first = await dhclient(folder, namespace, '-1');
    expect(first.address).toMatch(/^10\.89\.0\.5\d$/);
    for (const line of ['subnet-mask 255.255.255.0', `routers ${server}`, 'dhcp-lease-time 600']) {
      expect(first.leases).toContain(`option ${line};`);
    }
    const bound = await boots.event('LeaseBound', ({ data }) => data.mac === id);
    expect(bound.data).toMatchObject({ hardwareId: null, origin: 'pool', subnet: 'lab', ip: first.address });
    await dhclient(folder, namespace, '-x');
    const again = await dhclient(folder, namespace, '-1');
    expect(again.stderr).not.toContain('DHCPDISCOVER');
    expect(again.address).toBe(first.address);
    await dhclient(folder, namespace, '-r');
    await boots.event('LeaseReleased', ({ data }) => data.mac === id);
    const third = await dhclient(folder, namespace, '-1');
    expect(third.address).toBe(first.address);
    await dhclient(folder, namespace, '-x');
  });

  it('renews by unicast', async () => {
    const { namespace, id } = await client();
    const { child, told } = startUdhcpc(namespace);
    await told("domain='lab.example'");
    child.kill('SIGUSR1');
    await boots.event('LeaseRenewed', ({ data }) => data.mac === id && data.clientState === 'renewing');
  });

  it.each([
    ['by its vendor class', '02:89', ['-V', 'Acme Phone 7', '-O', '0x96'], /^10\.89\.0\.7[01]$/, "opt150='0a590005'"],
    ['by its user class', '02:89', ['-x', '0x4d:056b696f736b'], /^10\.89\.0\.7[23]$/, 'ip='],
    ['by its maker', '02:8a', [], /^10\.89\.0\.7[45]$/, 'ip='],
    ['like everybody else', '02:89', ['-V', 'An Acme Phone', '-x', '0x4d:066b696f736b73'], /^10\.89\.0\.5\d$/, 'ip='],
  ] as const)('gets one of its class, %s', async (_, maker, flags, address, more) => {
    const { namespace, id } = await client(maker);
    const { told } = startUdhcpc(namespace, flags);
    const { data } = await boots.event('LeaseBound', ({ data: { mac } }) => mac === id);
    expect(data.ip).toMatch(address);
    await told(more);
  });

  it('gets the one that it wishes for, of another subnet on its wire, with what that says', async () => {
    const { namespace, id } = await client();
    const { told } = startUdhcpc(namespace, ['-r', '10.87.0.20', '-O', 'ntpsrv', '-O', '0x07']);
    const said = await told("ip='10.87.0.20'");
    for (const line of ["router='10.87.0.1'", "dns='10.87.0.53'", "ntpsrv='10.87.0.123'", "opt7='0a57000e'"])
      expect(said).toContain(line);
    const { data } = await boots.event('LeaseBound', ({ data: { mac } }) => mac === id);
    expect(data.subnet).toBe('annexe');
  });

  it('does not get one of another subnet on its wire that somebody uses', async () => {
    const squatter = await client();
    await runIn(squatter.namespace, ['ip', 'addr', 'add', '10.87.0.21/24', 'dev', 'eth0']);
    const { namespace, id } = await client();
    startUdhcpc(namespace, ['-r', '10.87.0.21']);
    const { data } = await boots.event('LeaseBound', ({ data: { mac } }) => mac === id);
    expect(data.ip).not.toBe('10.87.0.21');
    const found = await boots.event('LeaseConflictFound', ({ data: { ip } }) => ip === '10.87.0.21');
    expect(found.data).toMatchObject({ method: 'arp', answeredBy: squatter.id });
  });

  it('gets one of the network behind its relay', async () => {
    const relay = await network.addClient('02:89:00:00:00:02');
    const behind = `${relay}-b`;
    await runIn(network.server, ['ip', 'route', 'add', '10.88.1.0/24', 'via', '10.89.0.2']);
    for (const command of [
      `ip netns add ${behind}`,
      `ip -n ${relay} addr add 10.89.0.2/24 dev eth0`,
      `ip -n ${relay} link add down0 type veth peer name eth0 address 02:88:00:00:01:20 netns ${behind}`,
      `ip -n ${relay} addr add 10.88.1.1/24 dev down0`,
      `ip -n ${relay} link set down0 up`,
      `ip -n ${behind} link set eth0 up`,
    ]) {
      const { code, stderr } = await runIn(relay, command.split(' '));
      expect({ command, code, stderr }).toMatchObject({ code: 0 });
    }
    running.push(async () => void (await runIn(relay, ['ip', 'netns', 'del', behind])));
    const flags = ['-4', '-d', '-a', '-pf', join(folder, 'dhcrelay.pid'), '-id', 'down0', '-iu', 'eth0', server];
    const dhcrelay = spawnIn(relay, ['dhcrelay', ...flags], { stdio: 'ignore' });
    running.push(async () => void dhcrelay.kill('SIGKILL'));
    startUdhcpc(behind);
    const { data } = await boots.event('LeaseBound', (event) => event.data.mac === '02-88-00-00-01-20');
    expect(data).toMatchObject({ subnet: 'rack', giaddr: '10.88.1.1', origin: 'pool' });
    expect(['10.88.1.20', '10.88.1.21']).toContain(data.ip);
    const told = await boots.event('LeaseRelayed', (event) => event.data.ip === data.ip);
    expect(Buffer.from(told.data.circuitId ?? '', 'hex').toString()).toContain('down0');
  });

  /** A client gives up after a minute, and begins anew: among so many its message may be passed over for long. */
  async function leased(namespace: string): ReturnType<typeof dhclient> {
    for (;;) {
      const run = await dhclient(folder, namespace, '-1');
      if (run.address !== undefined) return run;
    }
  }

  it('comes back to its address while 10,000 strangers ask for one, and a new one gets one', async () => {
    const [{ namespace }, late] = [await client(), await client()];
    const { address } = await dhclient(folder, namespace, '-1');
    await dhclient(folder, namespace, '-x');
    const enemy = await network.addClient('02:89:00:00:00:66');
    await runIn(enemy, ['ip', 'addr', 'add', '10.89.0.66/24', 'dev', 'eth0']);
    await runIn(enemy, ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
    const before = await boots.residentMiB();
    const strangers = { kind: 'dhcp', type: 'discover', count: 5_000_000, address: '0.0.0.0', server } as const;
    const overlap = await amid(await startFlood(enemy, strangers), 10_000, async () => {
      expect((await dhclient(folder, namespace, '-1')).address).toBe(address);
      await dhclient(folder, namespace, '-x');
      const { address: another } = await leased(late.namespace);
      expect(another).toMatch(/^10\.(?:89\.0\.5\d|87\.0\.2[01])$/);
      await dhclient(folder, late.namespace, '-x');
    });
    expect(overlap.after).toBeGreaterThan(overlap.before);
    expect((await boots.residentMiB()) - before).toBeLessThan(mostMiB(overlap));
  });

  it('does not get an address that somebody uses without a lease', async () => {
    const squatter = await client();
    // Like many a firewall.
    await runIn(squatter.namespace, ['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all']);
    const isFree = (ip: string) => !boots.events.some((event) => event.type === 'LeaseBound' && event.data.ip === ip);
    const free = Array.from({ length: 10 }, (_, n) => `10.89.0.${50 + n}`).filter(isFree);
    // One is left. Which one that is, the strangers before have a say in.
    for (const ip of free.slice(0, -1)) {
      await runIn(squatter.namespace, ['ip', 'addr', 'add', `${ip}/24`, 'dev', 'eth0']);
      // Has been heard of before, too.
      await runIn(squatter.namespace, ['busybox', 'ping', '-c', '1', '-W', '1', '-I', ip, server]);
    }
    const machine = await client();
    const log = join(folder, 'dhcpcd.log');
    const config = join(folder, 'dhcpcd.conf');
    await writeFile(config, 'duid\nclientid\n');
    const command = `exec dhcpcd -4 -1 -A -L -t 60 -f ${config} -c /bin/true eth0 >${log} 2>&1`;
    // Its leases and its pid file are its own: another one may run at the same time.
    const own = 'mount -t tmpfs none /var/lib/dhcpcd && mount -t tmpfs none /run';
    await runIn(machine.namespace, ['unshare', '-m', 'sh', '-c', `${own} && ${command}`], { timeoutMs: 70_000 });
    const { data } = await boots.event('LeaseBound', ({ data: { mac } }) => mac === machine.id);
    expect(await readFile(log, 'latin1')).toContain(`leased ${data.ip} for 600 seconds`);
    const conflicts = boots.events.flatMap((event) =>
      event.type === 'LeaseConflictFound' && event.data.subnet === 'lab' ? [event.data] : [],
    );
    expect(conflicts.length).toBeGreaterThan(0);
    for (const { ip, ...found } of conflicts) {
      expect(ip).not.toBe(data.ip);
      expect(found).toMatchObject({ method: 'arp', answeredBy: squatter.id });
    }
  });
});
