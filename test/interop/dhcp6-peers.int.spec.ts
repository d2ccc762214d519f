// DHCPv6 clients that we did not write, each in a network namespace of its own: dhclient -6, dhcpcd.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HardwareDhcp } from '@tinkerbell/events';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { dhclient6 } from './net/dhcp-clients';
import { createNetwork, linkLocal, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const missing = namespacesMissing();
if (missing) console.warn(`SKIPPED: DHCPv6 peers in network namespaces: ${missing}`);
const has = (path: string) => existsSync(path);

const server = 'fd97::1';
const macs = Array.from({ length: 7 }, (_, i) => `02:97:06:00:00:${String(i + 10)}`);
const addressOf = (mac: string) => `fd97::${mac.slice(-2)}`;
const machine = (mac: string, address: string, index: number, options6: HardwareDhcp['options6'] = []) => {
  const base = hardwareInterface(mac.replaceAll(':', '-'), '10.97.6.9');
  const dhcp = {
    ...{ ...base.dhcp, hostname: `node${index}`, lease_time: 3600, domain_name: 'rack.example' },
    ...{
      ip: { address, netmask: '', gateway: '', family: 6 },
      name_servers: ['fd97::53'],
      time_servers: ['fd97::123'],
      options6,
    },
  };
  return hardwareRecord({
    id: `00000000-0000-4000-8000-0000000006${index + 10}`,
    network: { interfaces: [{ ...base, dhcp }] },
  });
};
/** Of the class too. */
const ownMac = '02:97:06:01:00:11';

let network: Network;
let boots: BootsProcess;
let folder: string;
let next = 0;
const running: (() => Promise<void>)[] = [];

/** The real scripts rewrite this host's resolv.conf. 3: somebody else has the address. */
const script = `#!/bin/sh
[ -n "$new_dhcp6_name_servers" ] && echo "$reason: dns $new_dhcp6_name_servers" >> "$0.said"
[ "$reason" = BOUND6 ] && rm "$0.taken" 2>/dev/null && exit 3
[ -n "$new_ip6_address" ] && ip -6 addr replace "$new_ip6_address/128" dev "$interface" nodad
exit 0
`;

const subnets = `
classes:
  - name: special
    oui: ['02:97:06:01']
    options6:
      - { code: 23, type: ips, value: [fd97::5353] }
      - { code: 65001, type: text, value: of its class }
subnets:
  - subnet: fd97::/64
    range: fd97::a000/116
    domainSearch: [lab.example, example]
    timeServers: [fd97::124, ntp.example]
    options:
      - { code: 65001, type: text, value: of its subnet }
      - { code: 65002, type: uint32, value: 66051 }
    advertise: ${has('/usr/sbin/radvd')}
`;

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'dhcp6-peers-'));
  await writeFile(join(folder, 'script'), script);
  await chmod(join(folder, 'script'), 0o755);
  await writeFile(join(folder, 'dhcp.yaml'), subnets);
  network = await createNetwork('bdhcp6', '10.97.6.1', server);
  const hardware = [
    ...macs.map((mac, index) => machine(mac, addressOf(mac), index)),
    machine(ownMac, 'fd97::77', macs.length, [
      { code: 23, type: 'ips', value: ['fd97::5354'] },
      { code: 65001, type: 'text', value: 'of its record' },
    ]),
  ];
  const settings = {
    ...{ BOOTS_IPXE_DIR: folder, BOOTS_DHCP: 'false', PUBLIC_IP6: server, BOOTS_DHCP6: 'true' },
    ...{
      BOOTS_DHCP_FILE: join(folder, 'dhcp.yaml'),
      BOOTS_DHCP6_PREFERENCE: 255,
      BOOTS_SCRIPT_TICKETS: 'false',
    },
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

async function client(mac = macs[next++] ?? '') {
  const namespace = await network.addClient(mac);
  await linkLocal(namespace);
  return { namespace, id: mac.replaceAll(':', '-'), address: addressOf(mac) };
}

function stopLater(child: ChildProcess): void {
  const ended = new Promise((resolve) => child.once('close', resolve));
  running.push(async () => {
    child.kill('SIGTERM');
    const gaveUp = setTimeout(() => child.kill('SIGKILL'), 3000);
    await ended;
    clearTimeout(gaveUp);
  });
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

const lines = [
  'option dhcp6.ntp code 56 = string;',
  'option dhcp6.menu code 65001 = text;',
  'option dhcp6.room code 65002 = unsigned integer 32;',
  'also request dhcp6.domain-search, dhcp6.sntp-servers, dhcp6.ntp, dhcp6.menu;',
];

const dhclient = (namespace: string, ...flags: readonly string[]) =>
  dhclient6(folder, namespace, ['-1', ...flags], { script: join(folder, 'script'), lines });

describe.skipIf(missing !== undefined || !has('/usr/sbin/dhclient'))('dhclient -6', () => {
  it('takes its reserved address with everything that it asked for, and releases it', async () => {
    const { namespace, id, address } = await client();
    const { stderr, leases } = await dhclient(namespace);
    expect(stderr).toContain('RCV: Reply message');
    expect(leases).toContain(`iaaddr ${address} {`);
    for (const line of [
      ...['preferred-life 3600;', 'max-life 3600;', 'renew 1800;', 'rebind 2880;'],
      ...['option dhcp6.name-servers fd97::53;', 'option dhcp6.domain-search "rack.example.";'],
      'option dhcp6.sntp-servers fd97::123;',
    ]) {
      expect(leases).toContain(line);
    }
    const bound = await boots.event('LeaseBound', ({ data }) => data.ip === address);
    expect(bound.data).toMatchObject({ mac: id, origin: 'reservation', leaseSeconds: 3600, subnet: 'fd97::/64' });
    expect(bound.data.clientId).toMatch(/^0001[0-9a-f]{24}:[0-9a-f]{8}$/);
    await dhclient(namespace, '-r');
    await boots.event('LeaseReleased', ({ data }) => data.ip === address);
  });

  it('is known by its link-local address when its DUID says nothing', async () => {
    const { namespace, id, address } = await client();
    const file = join(folder, `${namespace}.leases`);
    await writeFile(file, 'default-duid "\\000\\004ABCDEFGHIJKLMNOP";\n');
    const { leases } = await dhclient(namespace);
    expect(leases).toContain(`iaaddr ${address} {`);
    const { data } = await boots.event('LeaseBound', ({ data: { ip } }) => ip === address);
    expect(data).toMatchObject({ mac: id, clientId: expect.stringMatching(/^00044142434445/) as string });
    await dhclient(namespace, '-x');
  });

  it('confirms the lease that it comes back with', async () => {
    const { namespace, address } = await client();
    await dhclient(namespace);
    await dhclient(namespace, '-x');
    const { stderr } = await dhclient(namespace);
    expect(stderr).toContain('XMT: Confirm');
    expect(stderr).toContain('RCV: Reply message');
    expect(stderr).not.toContain('XMT: Solicit');
    await dhclient(namespace, '-r');
    await boots.event('LeaseReleased', ({ data }) => data.ip === address);
  });

  it('gets an address of the range without a record, and the same one the next time', async () => {
    const { namespace } = await client('02:97:06:00:00:99');
    const first = await dhclient(namespace);
    const address = /iaaddr (fd97::a[0-9a-f]{3}) \{/.exec(first.leases)?.[1] ?? '';
    expect(address).not.toBe('');
    const bound = await boots.event('LeaseBound', ({ data }) => data.ip === address);
    expect(bound.data).toMatchObject({ hardwareId: null, origin: 'pool', mac: '02-97-06-00-00-99' });
    await dhclient(namespace, '-r');
    await boots.event('LeaseReleased', ({ data }) => data.ip === address);
    const second = await dhclient(namespace);
    expect([...second.leases.matchAll(/iaaddr (\S+) \{/g)].at(-1)?.[1]).toBe(address);
    await dhclient(namespace, '-x');
  });

  it('declines an address that somebody else has, and gets another', async () => {
    const { namespace, id } = await client('02:97:06:02:00:12');
    await writeFile(join(folder, 'script.taken'), '');
    const { leases } = await dhclient(namespace);
    const { data } = await boots.event('LeaseDeclined', (event) => event.data.mac === id);
    expect([...leases.matchAll(/iaaddr (fd97::a\S+) \{/g)].at(-1)?.[1]).not.toBe(data.ip);
    await dhclient(namespace, '-x');
  });

  it('gets what its class and its subnet set by number, asked for or not, as the file says by then', async () => {
    const { namespace } = await client('02:97:06:01:00:10');
    const { leases } = await dhclient(namespace);
    for (const line of [
      ...['option dhcp6.name-servers fd97::5353;', 'option dhcp6.domain-search "lab.example.", "example.";'],
      ...['option dhcp6.menu "of its class";', 'option dhcp6.room 66051;', 'option dhcp6.sntp-servers fd97::124;'],
    ]) {
      expect(leases).toContain(line);
    }
    // It keeps the first one of several.
    expect(leases).toContain('option dhcp6.ntp 0:1:0:10:fd:97:0:0:0:0:0:0:0:0:0:0:0:0:1:24;');
    await dhclient(namespace, '-r');
    await writeFile(join(folder, 'dhcp.yaml'), subnets.replace('of its class', 'of its class by now'));
    await expect.poll(() => boots.log(), { timeout: 30_000 }).toContain('has changed and is in force');
    expect((await dhclient(namespace)).leases).toContain('option dhcp6.menu "of its class by now";');
    await dhclient(namespace, '-x');
  });

  it('gets what its record sets by number before all that others say', async () => {
    const { namespace } = await client(ownMac);
    const { leases } = await dhclient(namespace);
    for (const line of ['name-servers fd97::5354', 'menu "of its record"', 'room 66051'])
      expect(leases).toContain(`option dhcp6.${line};`);
    expect(leases).toContain('iaaddr fd97::77 {');
    await dhclient(namespace, '-x');
  });

  it('asks for information only', async () => {
    const { namespace } = await client();
    await rm(join(folder, 'script.said'), { force: true });
    const { stderr, leases } = await dhclient(namespace, '-S');
    expect(stderr).toContain('RCV: Reply message');
    expect(await readFile(join(folder, 'script.said'), 'latin1')).toContain('dns fd97::53');
    expect(leases).not.toContain('iaaddr');
    await dhclient(namespace, '-S', '-x');
  });
});

describe.skipIf(missing !== undefined || !has('/usr/sbin/dhclient'))('a machine with an IPv6 lease', () => {
  it('gets its boot program by TFTP and HTTP, and its script with URLs of its own family', async () => {
    const program = 'x'.repeat(100_000);
    await writeFile(join(folder, 'ipxe.efi'), program);
    const { namespace, address } = await client();
    await dhclient(namespace);
    await runIn(namespace, ['ip', '-6', 'route', 'add', 'fd97::/64', 'dev', 'eth0']);
    const curl = (...args: readonly string[]) => runIn(namespace, ['curl', '-sS', '-g', '--max-time', '20', ...args]);
    for (const url of ['tftp://[fd97::1]/ipxe.efi', 'http://[fd97::1]/ipxe.efi']) {
      const { code, stdout, stderr } = await curl(url);
      expect({ url, code, stderr, length: stdout.length }).toEqual({
        url,
        code: 0,
        stderr: '',
        length: program.length,
      });
    }
    await boots.event('BootFileServed', ({ data }) => data.protocol === 'tftp' && data.file === 'ipxe.efi');
    await boots.event('BootFileServed', ({ data }) => data.protocol === 'http' && data.file === 'ipxe.efi');
    const { stdout } = await curl('http://[fd97::1]/auto.ipxe');
    expect({ address, stdout }).toMatchObject({ stdout: expect.stringContaining('#!ipxe') as string });
    await dhclient(namespace, '-x');
  });
});

describe.skipIf(missing !== undefined || !has('/usr/sbin/radvd'))('a host that hears our router advertisements', () => {
  it('reaches its network, makes no address of its own and has no router', async () => {
    const { namespace } = await client('02:97:06:00:00:98');
    const show = async (what: string) => (await runIn(namespace, ['ip', '-6', what, 'show', 'dev', 'eth0'])).stdout;
    while (!(await show('route')).includes('fd97::/64')) await pause();
    const routes = await show('route');
    expect(routes).toMatch(/^fd97::\/64 proto kernel .*expires \d+sec/m);
    expect(routes).not.toContain('default');
    expect(await show('addr')).not.toContain('fd97');
  });

  it('hears what the file says of them while boots runs, and then nothing', async () => {
    const { namespace } = await client('02:97:06:00:00:97');
    const file = join(folder, 'dhcp.yaml');
    const show = async (what: string) => (await runIn(namespace, ['ip', '-6', what, 'show', 'dev', 'eth0'])).stdout;
    const changes = () => boots.log().split('has changed and is in force').length - 1;
    const isInForce = (times: number) => expect.poll(changes, { timeout: 60_000 }).toBe(before + times);
    const before = changes();
    await writeFile(file, subnets.replace('advertise: true', 'advertise: { autonomous: true, routerSeconds: 600 }'));
    await isInForce(1);
    await expect.poll(() => show('route'), { timeout: 60_000 }).toMatch(/^default via fe80/m);
    await expect.poll(() => show('addr'), { timeout: 60_000 }).toContain('fd97');
    await writeFile(file, subnets.replace('advertise: true', 'advertise: false'));
    await isInForce(2);
    // radvd's last words: this is no router any more.
    await expect.poll(() => show('route'), { timeout: 60_000 }).not.toContain('default');
    await writeFile(file, subnets);
    await isInForce(3);
  });
});

describe.skipIf(missing !== undefined || !has('/usr/sbin/dhcpcd'))('dhcpcd', () => {
  it('takes its address by rapid commit', async () => {
    const { namespace, address } = await client();
    const conf = join(folder, 'dhcpcd.conf');
    await writeFile(conf, 'duid\nipv6only\nnoipv6rs\nslaac hwaddr\noption rapid_commit\ninterface eth0\n  ia_na 1\n');
    const log = join(folder, 'dhcpcd.log');
    // Without what an earlier run left there. To a file: what it leaves behind for a moment holds on to its output.
    const command = `exec dhcpcd -6 -1 -t 60 -f ${conf} -c /bin/true eth0`;
    await runIn(
      namespace,
      [
        'unshare',
        '-m',
        'sh',
        '-c',
        `mount -t tmpfs none /var/lib/dhcpcd && mount -t tmpfs none /run && ${command} >${log} 2>&1`,
      ],
      { timeoutMs: 70_000 },
    );
    expect(await readFile(log, 'latin1')).toContain('REPLY6 received');
    await boots.event('LeaseBound', ({ data }) => data.ip === address);
  });
});

describe.skipIf(missing !== undefined)('a client on another interface of the host', () => {
  it('is not answered, though another program there has joined the group', async () => {
    const far = await network.addBehind(network.server, '02:96:06:00:00:30', 'fd98::1/64');
    await linkLocal(far);
    const join = `
      const socket = require('node:dgram').createSocket('udp6');
      socket.bind(0, () => socket.addMembership('ff02::1:2', '::%down0'));`;
    stopLater(spawnIn(network.server, [process.execPath, '-e', join], { stdio: 'ignore' }));
    const send = `
      const socket = require('node:dgram').createSocket('udp6');
      socket.send('solicit', 547, 'ff02::1:2%eth0', () => socket.close());`;
    const dropped = async () => {
      await runIn(far, [process.execPath, '-e', send]);
      const { stdout } = await runIn(network.server, ['curl', '-sS', 'http://10.97.6.1/metrics']);
      return /^boots_dhcp6_dropped_total\{reason="other-interface"\} \d+$/m.test(stdout);
    };
    await expect.poll(dropped).toBe(true);
  });
});

describe.skipIf(missing !== undefined || !has('/usr/sbin/dhclient'))('an interface without a carrier', () => {
  it('is served once it has one, and again when it was deleted and made anew', { timeout: 120_000 }, async () => {
    const late = await createNetwork('bdhcp6late', '10.97.7.1', 'fd95::1');
    running.push(() => late.close());
    await late.addTap();
    expect((await runIn(late.server, ['ip', 'link', 'show', late.bridge])).stdout).toContain('NO-CARRIER');
    const settings = {
      ...{ BOOTS_IPXE_DIR: folder, BOOTS_DHCP: 'false', PUBLIC_IP6: 'fd95::1', BOOTS_DHCP6: 'true' },
      BOOTS_DHCP6_SUBNETS: 'fd95::/64=fd95::a000/116',
    };
    const waiting = await startBootsIn(late, { settings, hardware: [] });
    running.unshift(() => waiting.stop());
    expect(waiting.log()).toContain('no interface that is up has PUBLIC_IP6');
    const namespace = await late.addClient('02:97:07:00:00:10');
    await linkLocal(namespace);
    expect((await dhclient(namespace)).leases).toContain('iaaddr fd95::a');
    const heard = () => waiting.log().match(/DHCPv6 on br0, port 547/g)?.length;
    expect(heard()).toBe(1);
    const ip = (...args: readonly string[]) => runIn(late.server, ['ip', ...args]);
    await ip('link', 'del', late.bridge);
    await ip('link', 'add', late.bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    await ip('addr', 'add', 'fd95::1/64', 'dev', late.bridge, 'nodad');
    await ip('addr', 'add', 'fe80::1/64', 'dev', late.bridge, 'nodad');
    await ip('link', 'set', late.bridge, 'up');
    await ip('link', 'set', 'p1', 'master', late.bridge, 'up');
    await expect.poll(heard, { timeout: 30_000 }).toBe(2);
    await dhclient(namespace, '-x');
    expect((await dhclient(namespace)).stderr).toContain('RCV: Reply message');
    await dhclient(namespace, '-x');
  });
});
