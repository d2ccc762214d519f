// DHCP clients that we did not write, each in a network namespace of its own: dhclient, udhcpc, dhcpcd, the npm package dhcp; and dnsmasq
// and dhcrelay as relays.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HardwareDhcpOption, HardwareRecord } from '@tinkerbell/events';
import { captures, hardwareInterface, hardwareRecord, readCapture } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './net/bundle';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { dhclient, udhcpc } from './net/dhcp-clients';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const missing = namespacesMissing();
if (missing) console.warn(`SKIPPED: DHCP peers in network namespaces: ${missing}`);
const has = (path: string) => existsSync(path);

const server = '10.97.0.1';
/** Two free MACs for each test: every one has its reservation, `10.97.0.<number>`. */
const macs = Array.from({ length: 14 }, (_, i) => `02:97:00:00:00:${String(i + 10)}`);
const addressOf = (mac: string) => `10.97.0.${mac.slice(-2)}`;
/** Longer than one option, and than what a message of 576 bytes has left beside `file` and `sname`. */
const longText = 'options of any length '.repeat(14);
/** Of the last machine. */
const ownOptions: readonly HardwareDhcpOption[] = [
  { code: 121, type: 'routes', value: [{ destination: '10.88.0.0/16', router: '10.97.0.9' }] },
  { code: 119, type: 'domains', value: ['one.example', 'two.example'] },
  { code: 132, type: 'uint32', value: 4094 },
  { code: 224, type: 'text', value: longText },
];
function machine(mac: string, index: number): HardwareRecord {
  const base = hardwareInterface(mac.replaceAll(':', '-'), addressOf(mac));
  const ip = { address: addressOf(mac), netmask: '255.255.255.0', gateway: server, family: 4 };
  const dhcp = {
    ...base.dhcp,
    ip,
    hostname: `node${index}`,
    lease_time: 3600,
    name_servers: ['10.97.0.53'],
    domain_name: 'rack.example',
    options: index === macs.length - 1 ? ownOptions : [],
  };
  return hardwareRecord({
    id: `00000000-0000-4000-8000-0000000000${index + 10}`,
    network: { interfaces: [{ ...base, dhcp }] },
  });
}
/** A machine behind a relay: `10.96.<n>.20`, the relay's far side being `10.96.<n>.1`. */
const relayedMac = (n: number) => `02:96:00:00:0${n}:20`;
const relayedMachine = (n: number): HardwareRecord => {
  const base = hardwareInterface(relayedMac(n).replaceAll(':', '-'), `10.96.${n}.20`);
  const ip = { address: `10.96.${n}.20`, netmask: '255.255.255.0', gateway: `10.96.${n}.1`, family: 4 };
  return hardwareRecord({
    id: `00000000-0000-4000-8000-00000000009${n}`,
    network: { interfaces: [{ ...base, dhcp: { ...base.dhcp, ip } }] },
  });
};

let network: Network;
let boots: BootsProcess;
let folder: string;
let next = 0;
const running: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'dhcp-peers-'));
  network = await createNetwork('bdhcp', server);
  const hardware = [...macs.map(machine), ...[1, 2, 3, 4].map(relayedMachine)];
  // Each network behind a relay is one of its own: only its machines are served there.
  const BOOTS_DHCP_SUBNETS = [1, 2, 3, 4].map((n) => `10.96.${n}.0/24=reservation`).join(',');
  boots = await startBootsIn(network, { settings: { BOOTS_IPXE_DIR: folder, BOOTS_DHCP_SUBNETS }, hardware });
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

async function client(
  mac = macs[next++] ?? '',
): Promise<{ namespace: string; mac: string; id: string; address: string }> {
  return { namespace: await network.addClient(mac), mac, id: mac.replaceAll(':', '-'), address: addressOf(mac) };
}

describe.skipIf(missing !== undefined || !has('/usr/sbin/dhclient'))('dhclient', () => {
  const run = (namespace: string, flag: '-1' | '-r' | '-x', lines: readonly string[] = []) =>
    dhclient(folder, namespace, flag, ['also request domain-search;', ...lines]);
  const stop = (namespace: string) => run(namespace, '-x');
  /** Of the machine with options of its own. */
  let longNamed: string | undefined;

  it('takes its lease with everything that it asked for, and releases it', async () => {
    const { namespace, id, address } = await client();
    const { stderr, leases } = await run(namespace, '-1');
    expect(stderr).toContain(`bound to ${address}`);
    expect(leases).toContain(`fixed-address ${address};`);
    for (const line of [
      'subnet-mask 255.255.255.0',
      `routers ${server}`,
      'domain-name-servers 10.97.0.53',
      'dhcp-lease-time 3600',
      'broadcast-address 10.97.0.255',
      `host-name "node${Number(address.split('.')[3]) - 10}"`,
      'domain-search "rack.example."',
    ]) {
      expect(leases).toContain(`option ${line};`);
    }
    await boots.event('LeaseBound', ({ data }) => data.mac === id && data.ip === address && data.leaseSeconds === 3600);
    await run(namespace, '-r');
    await boots.event('LeaseReleased', ({ data }) => data.mac === id);
  });

  it('comes back with its lease (INIT-REBOOT)', async () => {
    const { namespace, id, address } = await client();
    await run(namespace, '-1');
    await stop(namespace);
    const { stderr } = await run(namespace, '-1');
    expect(stderr).not.toContain('DHCPDISCOVER');
    expect(stderr).toContain(`bound to ${address}`);
    await boots.event('LeaseRenewed', ({ data }) => data.mac === id && data.clientState === 'init-reboot');
    await stop(namespace);
  });

  it('comes back with a lease that is not its own: is refused, and starts anew', async () => {
    const { namespace, id, address } = await client();
    const { leases, leaseFile } = await run(namespace, '-1');
    await stop(namespace);
    await writeFile(leaseFile, leases.replace(`fixed-address ${address}`, 'fixed-address 10.97.0.200'));
    const { stderr } = await run(namespace, '-1');
    expect(stderr).toMatch(/DHCPNAK from 10\.97\.0\.1[\s\S]*DHCPDISCOVER/);
    expect(stderr).toContain(`bound to ${address}`);
    await boots.event('LeaseRefused', ({ data }) => data.mac === id && data.requested === '10.97.0.200');
    await stop(namespace);
  });

  it('takes the options of its record, routes in the place of the gateway', async () => {
    const { namespace, address } = await client(macs.at(-1));
    longNamed = namespace;
    const definitions = [
      'option rfc3442 code 121 = array of unsigned integer 8;',
      'option vlan code 132 = unsigned integer 32;',
      'also request rfc3442, vlan;',
    ];
    const { stderr, leases } = await run(namespace, '-1', definitions);
    expect(stderr).toContain(`bound to ${address}`);
    expect(leases).toContain('option rfc3442 16,10,88,10,97,0,9,0,10,97,0,1;');
    expect(leases).toContain('option vlan 4094;');
    expect(leases).toContain('option domain-search "one.example.", "two.example.";');
    expect(leases).not.toContain('option routers');
    await stop(namespace);
  });

  it.each([
    ['in parts that follow each other (RFC 3396)', ['send dhcp-max-message-size 1472;']],
    ['over options, file and sname (52) where its message is short', []],
  ])('takes a long option %s', async (_, lines) => {
    const namespace = longNamed ?? (await client(macs.at(-1))).namespace;
    const { leases } = await run(namespace, '-1', ['option story code 224 = text;', 'also request story;', ...lines]);
    expect(leases).toContain(`option story "${longText}";`);
    await stop(namespace);
  });

  it('of an unknown machine gets no answer', async () => {
    const namespace = await network.addClient('02:97:00:00:00:99');
    const { stderr, code } = await run(namespace, '-1', ['timeout 2;']);
    expect(code).toBe(2);
    expect(stderr).toContain('No DHCPOFFERS received');
  });
});

describe.skipIf(missing !== undefined || !has('/bin/busybox'))('udhcpc', () => {
  const start = (namespace: string, ...flags: readonly string[]) => {
    const started = udhcpc(folder, namespace, flags);
    running.push(() => started.stop());
    return started;
  };

  it('is bound, renews by unicast, releases', async () => {
    const { namespace, id, address } = await client();
    const { child, told } = start(namespace, '-O', 'search');
    await boots.event('LeaseBound', ({ data }) => data.mac === id && data.ip === address);
    // The client's script has run: it has its address, from which alone it can renew.
    const environment = await told("hostname='node");
    for (const line of [
      `ip='${address}'`,
      "dns='10.97.0.53'",
      "domain='rack.example'",
      "lease='3600'",
      `serverid='${server}'`,
    ]) {
      expect(environment).toContain(line);
    }
    child.kill('SIGUSR1');
    await boots.event('LeaseRenewed', ({ data }) => data.mac === id && data.clientState === 'renewing');
    child.kill('SIGUSR2');
    await boots.event('LeaseReleased', ({ data }) => data.mac === id);
  });

  it('declines an address that somebody else uses', async () => {
    const squatter = await client();
    const { namespace, id, address } = await client();
    await runIn(squatter.namespace, ['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
    start(namespace, '-a');
    const { data } = await boots.event('LeaseDeclined', (event) => event.data.mac === id);
    expect(data.ip).toBe(address);
  });

  /** client eth0 -- down0 (10.96.<n>.1) relay eth0 (10.97.0.<n + 1>) -- bridge -- boots */
  async function behindRelay(n: number): Promise<{ relay: string; behind: string }> {
    const relay = await network.addClient(`02:97:00:00:00:0${n + 1}`);
    const behind = `${relay}-b`;
    await runIn(network.server, ['ip', 'route', 'add', `10.96.${n}.0/24`, 'via', `10.97.0.${n + 1}`]);
    for (const command of [
      `ip netns add ${behind}`,
      `ip -n ${behind} link set lo up`,
      `ip -n ${relay} addr add 10.97.0.${n + 1}/24 dev eth0`,
      `ip -n ${relay} link add down0 type veth peer name eth0 address ${relayedMac(n)} netns ${behind}`,
      `ip -n ${relay} addr add 10.96.${n}.1/24 dev down0`,
      `ip -n ${relay} link set down0 up`,
      `ip -n ${behind} link set eth0 up`,
    ]) {
      const { code, stderr } = await runIn(relay, command.split(' '));
      expect({ command, code, stderr }).toMatchObject({ code: 0 });
    }
    running.push(async () => void (await runIn(relay, ['ip', 'netns', 'del', behind])));
    return { relay, behind };
  }

  it.skipIf(!has('/usr/sbin/dnsmasq'))('is served through a relay, which gets its own option back', async () => {
    const { relay, behind } = await behindRelay(1);
    const command = ['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root'];
    const flags = ['--dhcp-relay=10.96.1.1,10.97.0.1', `--pid-file=${join(folder, 'relay.pid')}`];
    const dnsmasq = spawnIn(relay, [...command, ...flags], { stdio: 'ignore' });
    running.push(async () => void dnsmasq.kill('SIGKILL'));
    start(behind);
    const { data } = await boots.event('LeaseBound', (event) => event.data.mac === relayedMac(1).replaceAll(':', '-'));
    expect(data).toMatchObject({ ip: '10.96.1.20', giaddr: '10.96.1.1' });
  });

  it.skipIf(!has('/usr/sbin/dhcrelay'))(
    "is served through ISC's relay, which adds circuit and remote end",
    async () => {
      const { relay, behind } = await behindRelay(2);
      const flags = ['-4', '-d', '-a', '-pf', join(folder, 'dhcrelay.pid'), '-id', 'down0', '-iu', 'eth0', server];
      const dhcrelay = spawnIn(relay, ['dhcrelay', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
      running.push(async () => void dhcrelay.kill('SIGKILL'));
      const { told } = start(behind);
      const { data } = await boots.event(
        'LeaseBound',
        (event) => event.data.mac === relayedMac(2).replaceAll(':', '-'),
      );
      expect(data).toMatchObject({ ip: '10.96.2.20', giaddr: '10.96.2.1' });
      // The relay passes an ACK on only when its own option came back as it was.
      await told("ip='10.96.2.20'");
    },
  );

  it.skipIf(!has('/usr/sbin/dhcrelay'))('is served through a relay that selects its network (RFC 3527)', async () => {
    const { relay, behind } = await behindRelay(3);
    const flags = ['-4', '-d', '-a', '-pf', join(folder, 'select.pid'), '-U', 'eth0', '-id', 'down0', server];
    const dhcrelay = spawnIn(relay, ['dhcrelay', ...flags], { stdio: 'ignore' });
    running.push(async () => void dhcrelay.kill('SIGKILL'));
    const { told } = start(behind);
    const { data } = await boots.event('LeaseBound', (event) => event.data.ip === '10.96.3.20');
    // The relay's own address is in the network between us: only the option tells where the client is.
    expect(data).toMatchObject({ giaddr: '10.97.0.4', subnet: '10.96.3.0/24' });
    await told("ip='10.96.3.20'");
  });

  it.skipIf(!has('/usr/sbin/dhcrelay'))('is served through two relays, one behind the other', async () => {
    const { relay, behind } = await behindRelay(4);
    const middle = await network.addClient('02:97:00:00:00:06');
    await runIn(middle, ['ip', 'addr', 'add', '10.97.0.6/24', 'dev', 'eth0']);
    const hop = (namespace: string, name: string, ...flags: readonly string[]) => {
      const child = spawnIn(namespace, ['dhcrelay', '-4', '-d', '-pf', join(folder, `${name}.pid`), ...flags], {
        stdio: 'ignore',
      });
      running.push(async () => void child.kill('SIGKILL'));
    };
    hop(relay, 'near', '-a', '-id', 'down0', '-iu', 'eth0', '10.97.0.6');
    hop(middle, 'far', '-i', 'eth0', server);
    const { told } = start(behind);
    await told("ip='10.96.4.20'");
    const { data } = await boots.event('LeaseBound', (event) => event.data.ip === '10.96.4.20');
    expect(data).toMatchObject({ giaddr: '10.96.4.1' });
  });
});

describe.skipIf(missing !== undefined || !has('/usr/sbin/dhcpcd'))('dhcpcd', () => {
  it('takes its lease', async () => {
    const { namespace, id, address } = await client();
    const config = join(folder, 'dhcpcd.conf');
    await writeFile(
      config,
      'duid\noption domain_name_servers, domain_search, host_name\nrequire dhcp_server_identifier\n',
    );
    const log = join(folder, 'dhcpcd.log');
    // Its hooks would rewrite this host's resolv.conf. To a file: what it leaves behind for a moment holds on to its output.
    const command = `exec dhcpcd -4 -1 -A -L -t 20 -f ${config} -c /bin/true eth0 >${log} 2>&1`;
    await runIn(namespace, ['sh', '-c', command]);
    expect(await readFile(log, 'latin1')).toContain(`leased ${address} for 3600 seconds`);
    await boots.event('LeaseBound', ({ data }) => data.mac === id && data.ip === address);
  });
});

describe.skipIf(missing !== undefined)('the npm package dhcp', () => {
  it('takes its lease', async () => {
    const { namespace, mac, id, address } = await client();
    const program = await bundle('test/interop/net/npm-dhcp.main.ts');
    try {
      // It sends from whatever address the interface has; with none, there is no route for its broadcast.
      await runIn(namespace, ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
      const { stdout, stderr } = await runIn(namespace, [process.execPath, program.file, mac]);
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toMatchObject({
        state: 'BOUND',
        address,
        server,
        leasePeriod: 3600,
        options: { netmask: '255.255.255.0', hostname: expect.stringMatching(/^node/) as string },
      });
      await boots.event('LeaseBound', ({ data }) => data.mac === id);
    } finally {
      await program.remove();
    }
  });
});

describe.skipIf(missing !== undefined)('malformed messages', () => {
  it('of every length, from real firmware, cost nobody else anything', async () => {
    const { namespace, mac, address } = await client();
    const packets = captures
      .flatMap((name) => readCapture(name).slice(0, 3))
      .map((bytes) => Buffer.from(bytes).toString('base64'));
    const sender = `
      const socket = require('dgram').createSocket('udp4');
      const packets = ${JSON.stringify(packets)}.map((text) => Buffer.from(text, 'base64'));
      socket.bind(() => {
        socket.setBroadcast(true);
        let left = 0;
        const sent = () => --left === 0 && socket.close();
        for (const packet of packets) {
          for (let length = 1; length < packet.length; length++) {
            left++;
            socket.send(packet.subarray(0, length), 67, length % 2 ? '${server}' : '255.255.255.255', sent);
          }
        }
      });`;
    await runIn(namespace, ['ip', 'addr', 'add', '10.97.0.250/24', 'dev', 'eth0']);
    await runIn(namespace, ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
    const { code, stderr } = await runIn(namespace, [process.execPath, '-e', sender]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await runIn(namespace, ['ip', 'addr', 'flush', 'dev', 'eth0']);
    await runIn(namespace, ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
    const program = await bundle('test/interop/net/npm-dhcp.main.ts');
    try {
      const { stdout } = await runIn(namespace, [process.execPath, program.file, mac]);
      expect(JSON.parse(stdout)).toMatchObject({ address });
    } finally {
      await program.remove();
    }
    expect(boots.log()).toContain('malformed DHCP message');
    expect(boots.log()).not.toMatch(/error boots/);
  });
});

describe.skipIf(missing !== undefined || !has('/usr/sbin/bootpc'))('bootpc, a BOOTP client', () => {
  it('gets its address for good, and boots the file that it names', async () => {
    const { namespace, id, address } = await client();
    const ask = async (from = namespace) => {
      const command = ['bootpc', '--dev', 'eth0', '--bootfile', 'unix', '--returniffail', '--timeoutwait', '30'];
      // As its manual has it: the kernel sends to everybody only where a route leads.
      await runIn(from, ['ip', 'route', 'replace', 'default', 'dev', 'eth0']);
      const { code, stdout, stderr } = await runIn(from, command, { timeoutMs: 60_000 });
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    const said = await ask();
    for (const line of [
      ...[`SERVER='${server}'`, `IPADDR='${address}'`, "BOOTFILE='unix'", "NETMASK='255.255.255.0'"],
      ...[`GATEWAYS='${server}'`, "DNSSRVS='10.97.0.53'", "DOMAIN='rack.example'"],
    ])
      expect(said).toContain(line);
    const bound = await boots.event('LeaseBound', ({ data }) => data.mac === id);
    expect(bound.data).toMatchObject({ ip: address, leaseSeconds: 4_294_967_295, origin: 'reservation' });
    expect(await ask()).toBe(said);
    const { id: next, namespace: other } = await client();
    await ask(other);
    await boots.event('LeaseBound', ({ data }) => data.mac === next);
    const told = boots.events.filter(({ type, data }) => type.startsWith('Lease') && 'mac' in data && data.mac === id);
    expect(told).toHaveLength(1);
  });
});
