// boots on a real network: several interfaces, a machine that leases and then fetches, router advertisements.
import { existsSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePacket, messageType, option, requestedAddress } from '@tinkerbell/dhcp';
import { ensurePki } from '@tinkerbell/identity';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { udhcpc } from './net/dhcp-clients';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const missing = namespacesMissing() ?? (existsSync('/usr/sbin/udhcpc') ? undefined : 'needs udhcpc');
if (missing) console.warn(`SKIPPED: boots in network namespaces: ${missing}`);
const hasRadvd = existsSync('/usr/sbin/radvd') && existsSync('/usr/bin/tcpdump');

const address = '10.95.0.20';
const mac = '02:95:00:00:00:01';
/** On another wire of the same host. */
const far = { address: '10.95.0.21', mac: '02:95:00:00:00:02', id: '02-95-00-00-00-02' };
const kernel = 'kernel'.repeat(5000);
let network: Network;
let boots: BootsProcess;
let client: string;
let farClient: string;
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
  farClient = await network.addBehind(network.server, far.mac, '172.31.254.1/24');
  const base = hardwareInterface(mac.replaceAll(':', '-'), address);
  const ip = { address, netmask: '255.255.255.0', gateway: '10.95.0.1', family: 4 };
  const hardware = [
    hardwareRecord({ network: { interfaces: [{ ...base, dhcp: { ...base.dhcp, ip } }] } }),
    hardwareRecord({
      id: '00000000-0000-4000-8000-000000009502',
      network: { interfaces: [hardwareInterface(far.id, far.address)] },
    }),
  ];
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

const lease = (...more: readonly string[]) => {
  const quiet = ['-n', '-q', '-f', '-i', 'eth0', '-s', join(folder, 'script')];
  return runIn(client, ['udhcpc', ...quiet, '-t', '12', '-T', '1', ...more]);
};
const received = async () => {
  const { stdout } = await runIn(network.server, ['curl', '-sS', 'http://10.95.0.1/metrics']);
  const counts = stdout.matchAll(/^boots_dhcp_requests_total\{.*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
};

/** Of a machine that comes back with an address: by broadcast, or through a relay. */
async function requestFromFar(how: 'broadcast' | 'relayed'): Promise<void> {
  const noAddress = '0.0.0.0';
  const relay = '172.31.254.2';
  const [to, giaddr] = how === 'relayed' ? ['10.95.0.1', relay] : ['255.255.255.255', noAddress];
  const packet = encodePacket({
    ...{ op: 'request', htype: 1, hops: 0, xid: 95, secs: 0, flags: 0, sname: '', file: '' },
    ...{ ciaddr: noAddress, yiaddr: noAddress, siaddr: noAddress, giaddr },
    chaddr: Uint8Array.from(far.id.split('-'), (pair) => parseInt(pair, 16)),
    options: new Map([option(messageType, 'request'), option(requestedAddress, far.address)]),
  });
  await runIn(farClient, ['ip', 'addr', 'replace', `${relay}/24`, 'dev', 'eth0']);
  await runIn(farClient, ['ip', 'route', 'replace', 'default', 'via', '172.31.254.1']);
  const program = `
    const socket = require('node:dgram').createSocket('udp4');
    socket.bind(67, '${relay}', () => {
      socket.setBroadcast(true);
      socket.send(Buffer.from('${Buffer.from(packet).toString('hex')}', 'hex'), 67, '${to}', () => socket.close());
    });`;
  const sent = await runIn(farClient, [process.execPath, '-e', program]);
  expect(sent).toMatchObject({ code: 0, stderr: '' });
}

describe.skipIf(missing !== undefined)('boots on a host with two interfaces', () => {
  it('answers a broadcast on the interface that has its address, and serves what the machine then asks for', async () => {
    const { code } = await lease();
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

  it('does not hear the machines of its other interfaces', async () => {
    await requestFromFar('broadcast');
    const before = await received();
    const { code } = await lease();
    expect(code).toBe(0);
    expect(boots.events.filter(({ data }) => JSON.stringify(data).includes(far.id))).toEqual([expect.anything()]);
    expect(await received()).toBe(before + 2);
  });

  it('hears their relay', async () => {
    await requestFromFar('relayed');
    const { data } = await boots.event('LeaseBound', ({ data: bound }) => bound.ip === far.address);
    expect(data).toMatchObject({ mac: far.id, giaddr: '172.31.254.2' });
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

  it.skipIf(!hasRadvd)('starts radvd again when it ends by itself', { timeout: 60_000 }, async () => {
    // The parent first: radvd keeps its rights in a child.
    const radvds = async () => {
      const { stdout } = await runIn(client, ['ip', 'netns', 'pids', network.server]);
      const pids = stdout
        .trim()
        .split('\n')
        .map(Number)
        .sort((one, other) => one - other);
      const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')));
      return pids.filter((_, i) => names[i] === 'radvd\n');
    };
    const [first = 0] = await radvds();
    expect(first).toBeGreaterThan(0);
    process.kill(first, 'SIGKILL');
    await expect
      .poll(boots.log, { timeout: 30_000 })
      .toMatch(/radvd on br0 ended with SIGKILL: .*; started again in 1 s/s);
    const question = ['tcpdump', '-i', 'eth0', '-c', '1', '-nn', 'icmp6 and ip6[40] = 134'];
    expect((await runIn(client, question, { timeoutMs: 30_000 })).code).toBe(0);
    expect(await radvds()).not.toContain(first);
  });

  it('hears machines where its address went', { timeout: 60_000 }, async () => {
    const commands = [
      'addr del 10.95.0.1/24 dev br0',
      'link add br0.100 type bridge stp_state 0 forward_delay 0',
      'link set br0.100 up',
      'link set p0 master br0.100',
      'addr add 10.95.0.1/24 dev br0.100 label br0.100:a',
    ];
    for (const command of commands) {
      expect(await runIn(network.server, ['ip', ...command.split(' ')])).toMatchObject({ code: 0, stderr: '' });
    }
    expect((await lease()).code).toBe(0);
    expect(boots.log()).toContain('DHCP broadcasts are heard on br0.100');
  });

  it('ends when it is told to, radvd with it', async () => {
    const second = spawnIn(network.server, ['sleep', '60'], { stdio: 'ignore' });
    await boots.stop();
    const { stdout } = await runIn(client, ['ip', 'netns', 'pids', network.server]);
    expect(stdout.trim().split('\n')).toEqual([String(second.pid)]);
    second.kill('SIGKILL');
  });
});

describe.skipIf(missing !== undefined)('boots with an address on each of two wires', () => {
  const pxe = ['-V', 'PXEClient:Arch:00007:UNDI:003016', '-x', '0x5d:0007', '-x', '0x5e:010310', '-O', 'bootfile'];
  const base = hardwareInterface(mac.replaceAll(':', '-'), address);
  const near = hardwareRecord({ network: { interfaces: [base] } });
  const wires = `
    subnets:
      - { subnet: 10.95.0.0/24, mode: reservation }
      - subnet: 172.31.254.0/24
        router: 172.31.254.1
        discovery: true
        pools: [{ ranges: [172.31.254.50-172.31.254.59] }]
      - { subnet: 172.31.254.192/26, mode: off }
  `;
  const http = ['-V', 'HTTPClient:Arch:00016:UNDI:003001', '-x', '0x5d:0010', '-x', '0x5e:010310', '-O', 'bootfile'];
  const settings = { BOOTS_SCRIPT_TICKETS: 'false', BOOTS_FURTHER_IPS: '172.31.254.1' };
  /** On the further wire, where nobody does DHCP for it. */
  const fixed = { mac: '02:95:00:00:00:03', address: '172.31.254.200', id: '00000000-0000-4000-8000-000000009503' };
  const fixedBase = hardwareInterface(fixed.mac.replaceAll(':', '-'), fixed.address);
  const fixedIp = { address: fixed.address, netmask: '255.255.255.0', gateway: '', family: 4 };
  const fixedInterface = { ...fixedBase, dhcp: { ...fixedBase.dhcp, ip: fixedIp } };
  const fixedRecord = hardwareRecord({ id: fixed.id, network: { interfaces: [fixedInterface] } });
  let both: BootsProcess;
  let authority: string;
  beforeAll(async () => {
    if (missing) return;
    await writeFile(join(folder, 'wires.yaml'), wires);
    await writeFile(join(folder, 'ipxe.efi'), 'a boot program');
    const files = { BOOTS_IPXE_DIR: folder, BOOTS_OSIE_DIR: folder, BOOTS_DHCP_FILE: join(folder, 'wires.yaml') };
    const names = { ips: ['10.95.0.1', '172.31.254.1'], names: [] };
    const { files: pki } = await ensurePki(join(folder, 'pki'), names, new Date(), 'rsa');
    authority = pki.ca;
    const https = { BOOTS_HTTPS: 'true', BOOTS_HTTPS_CERT_FILE: pki.cert, BOOTS_HTTPS_KEY_FILE: pki.key };
    const input = { settings: { ...settings, ...files, ...https }, hardware: [near, fixedRecord], syslog: true };
    both = await startBootsIn(network, input);
    await runIn(farClient, ['ip', 'addr', 'flush', 'dev', 'eth0']);
  });
  afterAll(() => both?.stop());

  it.each([
    ['by its record', () => client, mac, '10.95.0.1', /^10\.95\.0\.20$/],
    ['from a pool', () => farClient, far.mac, '172.31.254.1', /^172\.31\.254\.5\d$/],
  ] as const)('serves a machine on each by the address there: %s', async (_, namespace, ofMac, own, address) => {
    const started = udhcpc(folder, namespace(), pxe);
    const said = await started.told("boot_file='ipxe.efi'");
    expect(said).toContain(`serverid='${own}'`);
    expect(said).toContain(`siaddr='${own}'`);
    expect(/^ip='(.*)'$/m.exec(said)?.[1]).toMatch(address);
    const get = async (url: string) => (await runIn(namespace(), ['curl', '-sS', '--max-time', '10', url])).stdout;
    expect(await get(`tftp://${own}/ipxe.efi`)).toBe('a boot program');
    expect(await get(`http://${own}/${ofMac}/auto.ipxe`)).toContain(`set base http://${own}/osie\n`);
    await started.stop();
    const again = udhcpc(folder, namespace(), [...http, '-O', '7']);
    const url = `https://${own}/${ofMac}/ipxe.efi`;
    const heard = await again.told("boot_file='http");
    expect(heard).toContain(`boot_file='${url}'`);
    expect(heard).toContain(`opt7='${Buffer.from(own.split('.').map(Number)).toString('hex')}'`);
    const secured = await runIn(namespace(), ['curl', '-sS', '--max-time', '10', '--cacert', authority, url]);
    expect(secured).toMatchObject({ stdout: 'a boot program', stderr: '' });
    await again.stop();
  });

  it('has an ISO for a machine of the further wire, which leads it to the address there, and takes its syslog', async () => {
    const get = async (...args: readonly string[]) => {
      const file = join(folder, 'got');
      await runIn(farClient, ['curl', '-sS', '--max-time', '10', '-o', file, ...args]);
      return readFile(file, 'latin1');
    };
    const path = `/iso/${fixed.mac}/tinkerbell.iso`;
    const iso = await get(`http://172.31.254.1${path}`);
    const script = `http://172.31.254.1/${fixed.mac}/auto.ipxe?network=static`;
    expect(iso).toContain(`set net\${card}/ip ${fixed.address}\n`);
    expect(iso).toContain(`chain --autofree ${script}`);
    expect(digestOf(await get('--cacert', authority, `https://172.31.254.1${path}`))).toBe(digestOf(iso));
    expect(await get('-r', '2048-4095', `http://172.31.254.1${path}`)).toBe(iso.slice(2048, 4096));

    await runIn(farClient, ['ip', 'addr', 'flush', 'dev', 'eth0']);
    await runIn(farClient, ['ip', 'addr', 'add', `${fixed.address}/24`, 'dev', 'eth0']);
    const text = await get(script);
    expect(text).toContain('set base http://172.31.254.1/osie\n');
    expect(text).toContain(` ipam=02-95-00-00-00-03::${fixed.address}:255.255.255.0:`);
    const say = `exec 3<>/dev/udp/172.31.254.1/514; echo '<13>Nov 27 05:00:00 node osie: by the further wire' >&3`;
    expect(await runIn(farClient, ['bash', '-c', say])).toMatchObject({ code: 0, stderr: '' });
    await expect
      .poll(() => both.logged, { timeout: 20_000 })
      .toMatchObject([{ mac: '02-95-00-00-00-03', address: fixed.address, line: 'by the further wire' }]);
  });

  it('has nothing for a stranger on the wire that has no pool', async () => {
    const stranger = await network.addClient('02:95:00:00:00:99');
    await runIn(network.server, ['ip', 'link', 'set', 'p1', 'master', 'br0.100']);
    const quiet = ['-n', '-q', '-f', '-i', 'eth0', '-s', join(folder, 'script'), '-t', '3', '-T', '1'];
    expect((await runIn(stranger, ['udhcpc', ...quiet])).code).toBe(1);
    expect(both.events.filter(({ type }) => type === 'LeaseBound')).toHaveLength(2);
  });
});

function digestOf(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}
