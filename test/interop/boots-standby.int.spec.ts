// Two boots on one wire with one log: which of them answers when one is killed, or stopped and let go on.
import { type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holder6Of, lease6Decider, leaseOfIp, poolDecider } from '@tinkerbell/domain';
import type { AnyEvent, DhcpServiceEvent, LeaseEvent } from '@tinkerbell/events';
import { findNatsServer } from '@tinkerbell/nats';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { bundle } from './net/bundle';
import type { ManyClients } from './net/many-clients.main';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const absent = ['/usr/sbin/udhcpc', '/usr/sbin/dhclient'].find((path) => !existsSync(path));
const noWire = namespacesMissing() ?? (existsSync('/usr/bin/curl') ? undefined : 'needs curl');
const missing = noWire ?? (absent && `needs ${absent}`);
if (missing) console.warn(`SKIPPED: two boots on one wire: ${missing}`);

const machines = [1, 2, 3, 4].map((n) => ({ mac: `02:96:00:00:00:0${n}`, ip: `10.96.0.5${n}` }));
const hardware = machines.map(({ mac, ip }, i) => {
  const base = hardwareInterface(mac.replaceAll(':', '-'), ip);
  const address = { address: ip, netmask: '255.255.255.0', gateway: '', family: 4 };
  const dhcp = { ...base.dhcp, ip: address, lease_time: 16 };
  const id = `9f0b4e4e-8f0c-4b9a-9a55-3d3f0c1a000${i}`;
  return hardwareRecord({ id, network: { interfaces: [{ ...base, dhcp }] } });
});
let network: Network;
let nats: ChildProcess;
let folder: string;
const clients: string[] = [];
const programs: ChildProcess[] = [];
const services: BootsProcess[] = [];

beforeAll(async () => {
  if (noWire) return;
  folder = await mkdtemp(join(tmpdir(), 'boots-standby-'));
  const script =
    '#!/bin/sh\n[ -n "$ip" ] && ip addr replace "$ip/24" dev "$interface"\necho "$1 $ip $serverid" >> "$HEARD"\nexit 0\n';
  await writeFile(join(folder, 'script'), script);
  await chmod(join(folder, 'script'), 0o755);
  network = await createNetwork('bstand', '10.96.0.1', 'fd96::1');
  const config = join(folder, 'nats.conf');
  await writeFile(
    config,
    `listen: "10.96.0.1:4222"\nmax_payload: 12582912\njetstream { store_dir: "${folder}/nats", sync_interval: always, max_file: 1125899906842624 }\n`,
  );
  const { path } = await findNatsServer();
  nats = spawnIn(network.server, [path, '-c', config], { stdio: 'ignore' });
  for (const { mac } of machines) clients.push(await network.addClient(mac));
}, 60_000);
afterAll(async () => {
  if (noWire) return;
  for (const program of programs) program.kill('SIGKILL');
  for (const service of services) await service.stop();
  nats?.kill('SIGKILL');
  await network?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Instance extends BootsProcess {
  readonly namespace: string;
  readonly address: string;
}

async function startAt(
  host: number,
  where?: string,
  leaseFolder?: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Instance> {
  const address = `10.96.0.${host}`;
  const namespace = where ?? (await network.addClient(`02:96:00:00:01:${host}`));
  const address6 = `fd96::${host}`;
  if (!where) {
    await runIn(namespace, ['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
    await runIn(namespace, ['ip', 'addr', 'add', `${address6}/64`, 'dev', 'eth0', 'nodad']);
  }
  const service = await startBootsIn(
    { server: namespace, address },
    {
      settings: {
        ...{ BOOTS_IPXE_DIR: folder, BOOTS_OSIE_DIR: folder, PUBLIC_IP6: address6, BOOTS_DHCP6: 'true' },
        BOOTS_DHCP6_SUBNETS: 'fd96::/64=fd96::a000/116',
        ...more,
      },
      // The second one finds them in the log.
      hardware: services.length === 0 ? hardware : [],
      natsUrl: 'nats://10.96.0.1:4222',
      ...(leaseFolder !== undefined && { leaseFolder }),
    },
  );
  services.push(service);
  return { ...service, namespace, address };
}

const taken = (boots: BootsProcess, address: string, id = 'default') =>
  boots.event('PoolTaken', ({ data }) => data.address === address, { id });

/** A relay with a network of its own behind it, which `clients` of it are in; returns what each was leased. */
async function manyLeases(relay: string, clients: ManyClients['clients']): Promise<Readonly<Record<string, string>>> {
  const program = await bundle('test/interop/net/many-clients.main.ts');
  try {
    const many: ManyClients = { relay: '10.96.4.1', servers: ['10.96.0.21', '10.96.0.22'], clients };
    const command = [process.execPath, program.file, JSON.stringify(many)];
    const { stdout, stderr } = await runIn(relay, command, { timeoutMs: 300_000 });
    if (stderr !== '') throw new Error(stderr);
    return JSON.parse(stdout) as Readonly<Record<string, string>>;
  } finally {
    await program.remove();
  }
}

/** Whether a client gets a lease, with which it ends. */
async function lease(client: number): Promise<boolean> {
  const command = ['udhcpc', '-n', '-q', '-f', '-i', 'eth0', '-s', join(folder, 'script'), '-t', '20', '-T', '1'];
  const asking = ['env', `HEARD=${folder}/heard-${client}`, ...command];
  return (await runIn(clients[client] ?? '', asking, { timeoutMs: 120_000 })).code === 0;
}

/** The same by DHCPv6. */
async function lease6(client: number): Promise<boolean> {
  const file = (suffix: string) => join(folder, `${clients[client]}.${suffix}`);
  const files = ['-lf', file('leases'), '-pf', file('pid'), '-sf', '/bin/true'];
  const { stderr } = await runIn(clients[client] ?? '', [
    'timeout',
    '20',
    'dhclient',
    '-6',
    '-v',
    '-1',
    ...files,
    'eth0',
  ]);
  await runIn(clients[client] ?? '', ['dhclient', '-6', '-x', ...files, 'eth0']);
  return stderr.includes('RCV: Reply message');
}

type Role = Readonly<Record<'role' | 'active', string | undefined>>;

/** Of the pool of each family. */
async function rolesOf({ namespace, address }: Instance): Promise<readonly Role[]> {
  const { stdout } = await runIn(namespace, ['curl', '-sS', `http://${address}/healthz`]);
  const { pool, pool6 } = JSON.parse(stdout) as Readonly<Record<'pool' | 'pool6', Role>>;
  return [pool, pool6];
}

async function isActive(instance: Instance): Promise<boolean> {
  return (await rolesOf(instance)).every(({ role, active }) => role === 'active' && active === instance.address);
}

/** Lets one answer for both pools, whichever does now: the other one is stopped, and stays so. */
async function serves(active: Instance, other: Instance): Promise<void> {
  other.signal('SIGSTOP');
  await until(() => isActive(active));
}

/** Resolves when one stands by, and knows for whom. On a busy machine it may have to give up its term first. */
async function standsBy(standby: Instance, active: Instance): Promise<void> {
  await until(async () => {
    await serves(active, standby);
    standby.signal('SIGCONT');
    const roles = await rolesOf(standby);
    return roles.every((each) => each.role === 'standby' && each.active === active.address);
  });
}

/** Folds the log and looks at every step whether an address went to a second machine while a first one had it. */
function doubles(events: readonly AnyEvent[]): readonly string[] {
  let state = poolDecider.initial;
  const found: string[] = [];
  for (const event of events) {
    if (event.type === 'LeaseBound') {
      const boundAt = new Date(Date.parse(event.data.expiresAt) - event.data.leaseSeconds * 1000).toISOString();
      const holder = leaseOfIp(state.leases, event.data.ip, boundAt);
      if (holder && holder.mac !== event.data.mac) found.push(`${event.data.ip}: ${holder.mac}, ${event.data.mac}`);
    }
    if (/^(Lease|Pool|DhcpServer)/.test(event.type)) {
      state = poolDecider.evolve(state, event as LeaseEvent | DhcpServiceEvent);
    }
  }
  return found;
}

/** Every grant of an IPv6 address that another client had just then. */
function doubles6(events: readonly AnyEvent[]): readonly string[] {
  let state = lease6Decider.initial;
  const found: string[] = [];
  for (const event of events as readonly (LeaseEvent | DhcpServiceEvent)[]) {
    if (event.type === 'LeaseBound') {
      const boundAt = new Date(Date.parse(event.data.expiresAt) - event.data.leaseSeconds * 1000).toISOString();
      if (holder6Of(state, event.data.ip, boundAt)) found.push(event.data.ip);
    }
    state = lease6Decider.evolve(state, event);
  }
  return found;
}

describe.skipIf(missing !== undefined)('two boots on one wire', () => {
  it('hand a pool over when the active one is killed, or stopped and let go on', { timeout: 600_000 }, async () => {
    const first = await startAt(11);
    await taken(first, first.address);
    await taken(first, first.address, 'default-v6');
    const second = await startAt(12);
    await standsBy(second, first);

    // A client that stays and renews, by broadcast when its server is gone.
    const heardFile = join(folder, 'heard-0');
    const renewing = ['udhcpc', '-f', '-i', 'eth0', '-s', join(folder, 'script'), '-t', '20', '-T', '1'];
    const client = spawnIn(clients[0] ?? '', ['env', `HEARD=${heardFile}`, ...renewing], { stdio: 'ignore' });
    programs.push(client);
    await second.event('LeaseBound', ({ data }) => data.ip === machines[0]?.ip);
    await until(() => lease6(1));

    await serves(first, second);
    first.signal('SIGKILL');
    second.signal('SIGCONT');
    await until(() => lease(1));
    // The same address, which the second one knows of by the log alone.
    await until(() => lease6(1));
    const heard = () => readFile(heardFile, 'utf8');
    await until(async () => new RegExp(`(?:renew|bound) ${machines[0]?.ip} 10.96.0.12`).test(await heard()));
    // Whether it had to begin anew is a matter of time; its address is not.
    expect(new Set((await heard()).match(/(?<=^(?:bound|renew) )\S+/gm))).toEqual(new Set([machines[0]?.ip]));
    await until(() => isActive(second));
    client.kill('SIGKILL');

    const third = await startAt(11, first.namespace);
    await standsBy(third, second);
    await serves(second, third);
    second.signal('SIGSTOP');
    third.signal('SIGCONT');
    await until(() => isActive(third));
    const stoppedLog = second.log().length;
    await until(() => lease6(2));
    // Also the stopped one's socket hears this.
    await until(() => lease(2));
    second.signal('SIGCONT');
    const said = () => second.log().slice(stoppedLog);
    await until(() => said().includes('not answered: standby') && said().includes('pool default: standby'));
    expect(said()).not.toMatch(/: (?:offer|ack|nak) /);
    expect(said()).not.toMatch(/DHCPv6 .*: (?:advertise|reply)/);
    await standsBy(second, third);

    const mac = machines[2]?.mac.replaceAll(':', '-');
    for (const id of ['default', 'default-v6']) {
      await third.event('LeaseBound', ({ data }) => data.mac === mac, { id });
      const terms = third.eventsOf(id).flatMap(({ type, data }) => (type === 'PoolTaken' ? [data] : []));
      // On a busy machine one may be too late to keep its term.
      const holders = terms.map(({ address }) => address).filter((holder, i, all) => holder !== all[i - 1]);
      expect(holders.slice(0, 3)).toEqual(['10.96.0.11', '10.96.0.12', '10.96.0.11']);
      const epochs = terms.map(({ epoch }) => epoch);
      expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b));
    }
    expect(doubles(third.eventsOf('default'))).toEqual([]);
    const events6 = third.eventsOf('default-v6');
    expect(doubles6(events6)).toEqual([]);
    expect(events6.filter(({ type }) => type === 'ServerNamed')).toHaveLength(1);
    const given = new Set(events6.flatMap((event) => (event.type === 'LeaseBound' ? [event.data.mac] : [])));
    expect(given).toEqual(new Set([1, 2].map((index) => machines[index]?.mac.replaceAll(':', '-'))));
    for (const service of services) await service.stop();
  });

  it('take up the snapshot and what came after it when the only one is killed', { timeout: 600_000 }, async () => {
    const leaseFolder = join(folder, 'saved');
    const begin = async (namespace?: string) => {
      const service = await startAt(13, namespace, leaseFolder);
      await until(() => isActive(service));
      return service;
    };
    const first = await begin();
    await until(() => lease6(0));
    await first.stop();
    const second = await begin(first.namespace);
    await until(() => lease6(3));
    const { data: late } = await second.event('LeaseBound', ({ data }) => data.mac === '02-96-00-00-00-04');
    second.signal('SIGKILL');
    const third = await begin(second.namespace);
    expect(third.log()).toMatch(/lease-pool-default-v6\.snapshot: leases as they were then, and [1-9]\d* events since/);
    await until(() => lease6(0));
    const { stdout } = await runIn(third.namespace, ['curl', '-sS', 'http://10.96.0.13/metrics']);
    const events = third.eventsOf('default-v6');
    const addresses = new Set(events.flatMap((event) => (event.type === 'LeaseBound' ? [event.data.ip] : [])));
    expect(addresses).toContain(late.ip);
    expect(stdout).toMatch(new RegExp(`^boots_leases6 ${addresses.size}$`, 'm'));
    expect(doubles6(events)).toEqual([]);
  });
});

describe.skipIf(noWire !== undefined)('two boots with a pool', () => {
  it('keep every lease when the active one is killed while clients take more', { timeout: 600_000 }, async () => {
    const hex = (byte: number) => byte.toString(16).padStart(2, '0');
    const file = join(folder, 'dhcp.yaml');
    const racks = 'subnets: [{ subnet: 10.96.4.0/22, probe: false, pools: [{ ranges: [10.96.4.10-10.96.7.250] }] }]';
    await writeFile(file, racks);
    const settings = { BOOTS_POOL: 'racks', BOOTS_DHCP_FILE: file };
    const begin = async (host: number) => {
      const instance = await startAt(host, undefined, undefined, settings);
      await runIn(instance.namespace, ['ip', 'route', 'add', '10.96.4.0/22', 'via', '10.96.0.66']);
      return instance;
    };
    const relay = await network.addClient('02:96:00:00:01:66');
    await runIn(relay, ['ip', 'addr', 'add', '10.96.0.66/24', 'dev', 'eth0']);
    await runIn(relay, ['ip', 'addr', 'add', '10.96.4.1/32', 'dev', 'lo']);
    const first = await begin(21);
    await taken(first, first.address, 'racks');
    const second = await begin(22);
    await standsBy(second, first);
    const macs = (from: number, to: number) =>
      Array.from(
        { length: to - from },
        (_, i) => [`06-96-00-00-${hex((from + i) >> 8)}-${hex((from + i) & 0xff)}`] as const,
      );

    const taking = manyLeases(relay, macs(0, 500));
    const bound = () => first.eventsOf('racks').filter(({ type }) => type === 'LeaseBound').length;
    await until(() => bound() >= 200);
    first.signal('SIGKILL');
    const leased = await taking;
    await until(() => isActive(second));
    expect(Object.keys(leased)).toHaveLength(500);
    const listed = () => {
      const events = second.eventsOf('racks') as readonly (LeaseEvent | DhcpServiceEvent)[];
      const { leases } = events.reduce((state, event) => poolDecider.evolve(state, event), poolDecider.initial);
      const now = new Date().toISOString();
      return Object.values(leased).map((ip) => [leaseOfIp(leases, ip, now)?.mac, ip]);
    };
    expect(Object.fromEntries(listed())).toEqual(leased);

    // All come back for what they had, and as many new ones come among them.
    const all = await manyLeases(
      relay,
      [...Object.entries(leased), ...macs(500, 800)].sort(([a], [b]) => (a.slice(-2) < b.slice(-2) ? -1 : 1)),
    );
    expect(all).toMatchObject(leased);
    expect(new Set(Object.values(all)).size).toBe(800);
    expect(doubles(second.eventsOf('racks'))).toEqual([]);
    const { stdout } = await runIn(second.namespace, ['curl', '-sS', `http://${second.address}/metrics`]);
    expect(stdout).toMatch(/^boots_leases 800$/m);
    for (const service of services) await service.stop();
  });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}
