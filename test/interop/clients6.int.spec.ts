// One IPv6 host that speaks from as many addresses of its network as it likes, beside a machine whose address boots knows.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ChildProcess } from 'node:child_process';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const missing = namespacesMissing();
if (missing) console.warn(`SKIPPED: one IPv6 host with many addresses: ${missing}`);

const [server, machine, host] = ['fd96::1', 'fd96::10', 'fd96::20'];
/** Of `host`, in the same /64. */
const madeUp = 'fd96::f:0/112';
const [transfers, connections] = [50, 10];
const content = 'x'.repeat(100_000);

/** `program <tftp|http> <held> <more>`: holds so many, each from an address of its own, then asks for more; says so. */
const greedy = `
const { createSocket } = require('node:dgram');
const { connect } = require('node:net');
const [kind, held, more] = process.argv.slice(1);
const address = (i) => 'fd96::f:' + (i + 1).toString(16);
function transfer(i) {
  return new Promise((resolve) => {
    const socket = createSocket('udp6');
    socket.on('message', (bytes, { port }) => {
      if (bytes[1] === 6) socket.send(Buffer.from([0, 4, 0, 0]), port, '${server}');
      if (bytes[1] === 3) resolve();
    });
    const request = Buffer.from('\\0\\x01ipxe.efi\\0octet\\0timeout\\x00255\\0', 'latin1');
    socket.bind({ address: address(i) }, () => socket.send(request, 69, '${server}'));
  });
}
function connection(i) {
  return new Promise((resolve) => {
    const socket = connect({ host: '${server}', port: 80, localAddress: address(i) });
    socket.once('data', (part) => { socket.pause(); resolve(); });
    socket.write('GET /large.efi HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
  });
}
(async () => {
  const begin = kind === 'tftp' ? transfer : connection;
  for (let i = 0; i < Number(held); i++) await begin(i);
  for (let i = Number(held); i < Number(held) + Number(more); i++) void begin(i);
  console.log('asked');
  // A connection that nothing is read from keeps no process alive.
  setInterval(() => undefined, 60_000);
})();
`;

let network: Network;
let boots: BootsProcess;
let folder: string;
let ours: string;
let theirs: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'clients6-'));
  await writeFile(join(folder, 'ipxe.efi'), content);
  // More than the system takes of what nobody reads.
  await writeFile(join(folder, 'large.efi'), Buffer.alloc(64 << 20));
  network = await createNetwork('bcl6', '10.97.9.1', server);
  const base = hardwareInterface('02-97-09-00-00-10', '10.97.9.10');
  const ip = { address: machine, netmask: '', gateway: '', family: 6 };
  const record = hardwareRecord({ network: { interfaces: [{ ...base, dhcp: { ...base.dhcp, ip } }] } });
  const settings = {
    ...{ BOOTS_DHCP: 'false', PUBLIC_IP6: server, BOOTS_IPXE_DIR: folder },
    ...{ BOOTS_TFTP_MAX_TRANSFERS: transfers, BOOTS_HTTP_MAX_PER_CLIENT: connections },
  };
  boots = await startBootsIn(network, { settings, hardware: [record] });
  ours = await network.addClient('02:97:09:00:00:10');
  theirs = await network.addClient('02:97:09:00:00:20');
  for (const [namespace, address] of [
    [ours, machine],
    [theirs, host],
  ] as const)
    await runIn(namespace, ['ip', '-6', 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad']);
  await runIn(theirs, ['ip', '-6', 'route', 'add', 'local', madeUp, 'dev', 'lo']);
  await runIn(theirs, ['sh', '-c', 'echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind']);
  await runIn(network.server, ['ip', '-6', 'route', 'add', madeUp, 'via', host]);
});
afterEach(async () => {
  for (const child of running.splice(0)) if (child.kill('SIGKILL')) await once(child, 'close');
});
afterAll(async () => {
  if (missing) return;
  await boots.stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

async function hold(kind: 'tftp' | 'http', held: number, more: number): Promise<void> {
  const command = [process.execPath, '-e', greedy, kind, String(held), String(more)];
  const child = spawnIn(theirs, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  if (!child.stdout) throw new Error('no standard output');
  const ended = once(child, 'exit').then(([code]) => [`ended with ${String(code)}`]);
  expect(await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])).toEqual(['asked']);
}

const curl = (namespace: string, url: string, ...flags: readonly string[]) =>
  runIn(namespace, ['curl', '-sS', '-g', '--max-time', '20', ...flags, url]);
async function metric(name: string): Promise<number> {
  const { stdout } = await runIn(network.server, ['curl', '-sS', `http://${network.address}/metrics`]);
  return Number(
    stdout
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? 0,
  );
}

describe.skipIf(missing !== undefined)('one IPv6 host with addresses that it made up', () => {
  it('has the TFTP transfers of one client, and a machine beside it gets its file', async () => {
    await hold('tftp', transfers / 2, transfers);
    await expect
      .poll(() => metric('boots_tftp_dropped_total{reason="too-many-of-client"}'), { timeout: 20_000 })
      .toBe(transfers);
    const { code, stdout } = await curl(ours, `tftp://[${server}]/ipxe.efi`);
    expect([code, stdout.length]).toEqual([0, content.length]);
  });

  it('has the HTTP connections of one client, and a machine beside it gets its file', async () => {
    await hold('http', connections, 0);
    const from = ['--interface', 'fd96::f:ff'];
    const refused = await curl(theirs, `http://[${server}]/ipxe.efi`, ...from);
    expect(refused.stdout).toContain('10 connections of fd96::/64 are open');
    const { stdout } = await curl(ours, `http://[${server}]/ipxe.efi`);
    expect(stdout.length).toBe(content.length);
  });
});
