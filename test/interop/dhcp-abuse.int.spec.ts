// DHCP from clients that mean harm or are broken: others keep what they have, are served meanwhile, and memory stays bounded.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { dhclient } from './net/dhcp-clients';
import { amid, type DhcpFlood, mostMiB, startFlood } from './net/flood';
import { createNetwork, namespacesMissing, type Network, runIn } from './net/namespace';

const missing = namespacesMissing() ?? (existsSync('/usr/sbin/dhclient') ? undefined : 'needs isc-dhcp-client');
if (missing) console.warn(`SKIPPED: DHCP abuse in network namespaces: ${missing}`);

const server = '10.90.0.1';
const machine = (number: number) => ({
  mac: `02:90:00:00:00:${number}`,
  id: `02-90-00-00-00-${number}`,
  address: `10.90.0.${number}`,
});
const victim = machine(10);
/** One for each flood, which comes while it lasts. */
const latecomers = [11, 12, 13, 14, 15, 16, 17].map(machine);
const attacker = { mac: '02:90:00:00:00:66', address: '10.90.0.66' };
const least = 10_000;
const most = 5_000_000;

let network: Network;
let boots: BootsProcess;
let folder: string;
let enemy: string;
/** Namespaces by MAC. */
const homes = new Map<string, string>();

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'dhcp-abuse-'));
  network = await createNetwork('babuse', server);
  const hardware = [victim, ...latecomers].map(({ id, address }, i) =>
    hardwareRecord({
      id: `00000000-0000-4000-8000-0000000000${i + 10}`,
      network: { interfaces: [hardwareInterface(id, address)] },
    }),
  );
  boots = await startBootsIn(network, { settings: { BOOTS_IPXE_DIR: folder }, hardware });
  await lease(victim);
  enemy = await network.addClient(attacker.mac);
  await runIn(enemy, ['ip', 'addr', 'add', `${attacker.address}/24`, 'dev', 'eth0']);
  await runIn(enemy, ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
});
afterAll(async () => {
  if (missing) return;
  await boots.stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

/** Takes a lease, the first time or again, and ends; throws when it gets none. */
async function lease({ mac, address }: typeof victim): Promise<void> {
  const namespace = homes.get(mac) ?? (await network.addClient(mac));
  homes.set(mac, namespace);
  const run = await dhclient(folder, namespace, '-1');
  await dhclient(folder, namespace, '-x');
  expect(run.address).toBe(address);
}

const eventsOf = (type: string, id: string) =>
  boots.events.filter((event) => event.type === type && 'mac' in event.data && event.data.mac === id).length;

describe.skipIf(missing !== undefined)('10,000 messages and more', () => {
  const about = { kind: 'dhcp', count: most, server, address: victim.address } as const;
  const floods: readonly (readonly [string, DhcpFlood & { readonly count: number }])[] = [
    ['DISCOVER of as many MACs that nobody knows', { ...about, type: 'discover' }],
    ['DISCOVER through a relay of a network that is not ours', { ...about, type: 'discover', giaddr: '10.250.0.1' }],
    ['REQUEST of as many MACs for the address of another', { ...about, type: 'request' }],
    ['DECLINE of as many MACs of the address of another', { ...about, type: 'decline' }],
    ['DECLINE of one machine of the address of another', { ...about, type: 'decline', mac: attacker.mac }],
    ['RELEASE of the address of another', { ...about, type: 'release', mac: attacker.mac }],
    ['RELEASE in the name of another, from another address', { ...about, type: 'release', mac: victim.mac }],
  ];
  it.each(floods.map(([what, messages], i) => ({ what, messages, latecomer: latecomers[i] ?? victim })))(
    '$what: a machine that comes meanwhile is served, so is one that comes back, and keeps its lease',
    async ({ messages, latecomer }) => {
      const before = await boots.residentMiB();
      const flood = await startFlood(enemy, messages);
      const overlap = await amid(flood, least, async () => {
        await lease(latecomer);
        await lease(victim);
      });
      expect(overlap.after).toBeGreaterThan(overlap.before);
      expect(eventsOf('LeaseBound', latecomer.id)).toBe(1);
      const taken = ['LeaseReleased', 'LeaseDeclined', 'LeaseExpired'].map((type) => eventsOf(type, victim.id));
      expect(taken).toEqual([0, 0, 0]);
      expect((await boots.residentMiB()) - before).toBeLessThan(mostMiB(overlap));
      expect(boots.log()).not.toMatch(/error boots/);
    },
  );
});
