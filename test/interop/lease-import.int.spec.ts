// Kea (of both families), ISC dhcpd and dnsmasq each lease an address to a client; then the whole provisioner takes their place, at their address and with
// their files, and the clients go on.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dhclient, dhclient6, udhcpc, type Udhcpc } from './net/dhcp-clients';
import { createNetwork, linkLocal, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';
import { buildSite, type Site, startSite } from './net/site';

const programs = ['kea-dhcp4', 'kea-dhcp6', 'dhcpd', 'dnsmasq', 'dhclient', 'udhcpc'].map(
  (name) => `/usr/sbin/${name}`,
);
const absent = programs.find((path) => !existsSync(path));
const missing = namespacesMissing() ?? (absent && `needs ${absent}`);
if (missing) console.warn(`SKIPPED: leases of other DHCP servers: ${missing}`);

const server = '10.92.0.1';
const [keas, iscs, dnsmasqs, free] = ['10.92.0.10', '10.92.0.20', '10.92.0.30', '10.92.0.40'] as const;
const [server6, keas6] = ['fd92::1', 'fd92::a010'] as const;
const kea = (folder: string) => ({
  Dhcp4: {
    'interfaces-config': { interfaces: ['br0'] },
    'lease-database': { type: 'memfile', name: `${folder}/kea-leases4.csv`, 'lfc-interval': 0 },
    'valid-lifetime': 600,
    subnet4: [{ subnet: '10.92.0.0/24', pools: [{ pool: `${keas} - ${keas}` }] }],
  },
});
/** T1 and T2 are over when boots begins: its client asks at once, first Kea and then everybody. */
const kea6 = (folder: string) => ({
  Dhcp6: {
    'interfaces-config': { interfaces: ['br0'] },
    'lease-database': { type: 'memfile', name: `${folder}/kea-leases6.csv`, 'lfc-interval': 0 },
    'server-id': { type: 'LLT', persist: false },
    ...{ 'renew-timer': 2, 'rebind-timer': 4, 'preferred-lifetime': 600, 'valid-lifetime': 600 },
    subnet6: [{ subnet: 'fd92::/64', interface: 'br0', pools: [{ pool: `${keas6} - ${keas6}` }] }],
  },
});
const dhcpd = `authoritative; default-lease-time 600; ping-check false;
subnet 10.92.0.0 netmask 255.255.255.0 { range ${iscs}; }
`;
/** Nobody is asked whether he has an address: what keeps them apart is the leases. */
const dhcpFile = `
subnets:
  - subnet: 10.92.0.0/24
    probe: false
    pools: [{ ranges: [${[keas, iscs, dnsmasqs, free].join(', ')}] }]
  - subnet: fd92::/64
    range: fd92::a000/120
`;

let network: Network;
let folder: string;
let site: Site | undefined;
const clients: Udhcpc[] = [];
const running: ChildProcess[] = [];

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'lease-import-'));
  await buildSite();
  network = await createNetwork('bimport', server, server6);
}, 300_000);
afterAll(async () => {
  if (missing) return;
  for (const client of clients) await client.stop();
  for (const child of running) child.kill('SIGKILL');
  site?.kill();
  await network?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs it while its client takes a lease, as the one DHCP server on the wire. */
async function served<T>(command: readonly string[], take: () => Promise<T>): Promise<T> {
  const env = { ...process.env, KEA_PIDFILE_DIR: folder, KEA_LOCKFILE_DIR: folder };
  const child = spawnIn(network.server, command, { env, stdio: 'ignore' });
  running.push(child);
  const ended = once(child, 'close');
  const taken = await take();
  child.kill('SIGTERM');
  await ended;
  return taken;
}

async function takeByUdhcpc(mac: string, address: string): Promise<Udhcpc> {
  const client = udhcpc(folder, await network.addClient(mac));
  clients.push(client);
  await client.told(`ip='${address}'`);
  return client;
}

interface Lease {
  readonly state: string;
  readonly renewals: number;
  readonly expiresAt: string;
}

/** Once its client has renewed it. */
async function renewed({ tink }: Site, ip: string): Promise<Lease> {
  for (;;) {
    const lease = await tink<Lease>('lease', 'get', ip, '-o', 'json');
    if (lease.renewals > 0) return lease;
  }
}

describe.skipIf(missing !== undefined)('leases of Kea, ISC dhcpd and dnsmasq', () => {
  it('go on with boots, and nobody else gets their addresses', { timeout: 300_000 }, async () => {
    await writeFile(join(folder, 'kea.json'), JSON.stringify(kea(folder)));
    await writeFile(join(folder, 'kea6.json'), JSON.stringify(kea6(folder)));
    await writeFile(join(folder, 'dhcpd.conf'), dhcpd);
    await writeFile(join(folder, 'dhcpd.leases'), '');
    const ofKea = await served(['kea-dhcp4', '-c', join(folder, 'kea.json')], () =>
      takeByUdhcpc('02:92:00:00:00:10', keas),
    );
    // Not the dhcpd of an npm package, which is on the PATH of scripts.
    const isc = await network.addClient('02:92:00:00:00:20');
    const files = [
      '-cf',
      join(folder, 'dhcpd.conf'),
      '-lf',
      join(folder, 'dhcpd.leases'),
      '-pf',
      join(folder, 'dhcpd.pid'),
    ];
    const ofIsc = await served(['/usr/sbin/dhcpd', '-4', '-f', '-q', ...files, 'br0'], () =>
      dhclient(folder, isc, '-1'),
    );
    expect(ofIsc.address).toBe(iscs);
    await dhclient(folder, isc, '-x');
    const ofDnsmasq = await served(
      [
        ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--pid-file='],
        ...['--interface=br0', '--bind-interfaces', '--no-ping', `--dhcp-leasefile=${folder}/dnsmasq.leases`],
        ...[`--dhcp-range=${dnsmasqs},${dnsmasqs},255.255.255.0,600`, '--log-facility=/dev/null'],
      ],
      () => takeByUdhcpc('02:92:00:00:00:30', dnsmasqs),
    );

    const client6 = await network.addClient('02:92:00:00:00:60');
    await linkLocal(client6);
    await served(['kea-dhcp6', '-c', join(folder, 'kea6.json')], () => dhclient6(folder, client6, ['-1']));
    await dhclient6(folder, client6, ['-x']);

    const started = await startSite(network, folder, { ip6: server6, dhcpFile });
    site = started;
    const { tink } = started;
    const bring = (file: string, ...more: readonly string[]) =>
      tink<Record<string, unknown>>('lease', 'import', join(folder, file), '-o', 'json', ...more);
    expect(await bring('kea-leases4.csv', '--dry-run')).toMatchObject({ dryRun: true, bound: 1, passedOver: [] });
    for (const [file, from] of [
      ['kea-leases4.csv', 'kea'],
      ['dhcpd.leases', 'isc'],
      ['dnsmasq.leases', 'dnsmasq'],
    ] as const) {
      expect(await bring(file)).toMatchObject({ from, leasePool: 'default', bound: 1, already: 0, passedOver: [] });
    }
    expect(await bring('kea-leases4.csv')).toMatchObject({ bound: 0, extended: 0, already: 1, passedOver: [] });
    expect(await bring('kea-leases6.csv')).toMatchObject({ from: 'kea', bound: 1, already: 0, passedOver: [] });
    const before = await tink<readonly (Lease & { readonly ip: string })[]>('lease', 'list', '-o', 'json');
    const all = [keas, iscs, dnsmasqs, keas6];
    expect(before.map(({ ip, state }) => [ip, state])).toEqual(all.map((ip) => [ip, 'bound']));

    for (const { child } of [ofKea, ofDnsmasq]) child.kill('SIGUSR1');
    const again = await dhclient(folder, isc, '-1');
    // It knows the address and asks whether it may go on; boots answers nobody whom it does not know.
    expect(again.stderr).not.toContain('DHCPDISCOVER');
    expect(again.address).toBe(iscs);
    const { stderr: confirmed } = await dhclient6(folder, client6, ['-1']);
    expect(confirmed).toMatch(/XMT: Confirm[^]*RCV: Reply/);
    expect(confirmed).not.toContain('XMT: Solicit');
    for (const ip of all) {
      const { state, renewals, expiresAt } = await renewed(started, ip);
      expect({ ip, state, renewals }).toEqual({ ip, state: 'bound', renewals: 1 });
      expect(Date.parse(expiresAt)).toBeGreaterThan(
        Date.parse(before.find((lease) => lease.ip === ip)?.expiresAt ?? ''),
      );
    }

    await dhclient6(folder, client6, ['-x']);

    await takeByUdhcpc('02:92:00:00:00:40', free);
    const late = await network.addClient('02:92:00:00:00:50');
    const refused = ['udhcpc', '-n', '-q', '-f', '-i', 'eth0', '-s', '/bin/true', '-t', '2', '-T', '1'];
    expect((await runIn(late, refused)).code).not.toBe(0);
  });
});
