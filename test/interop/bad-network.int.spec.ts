// DHCP, TFTP and HTTP of boots over a cable that loses, doubles and swaps frames, with clients that we did not write.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Losses } from './net/accidents';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { dhclient } from './net/dhcp-clients';
import { addLossyClient } from './net/lossy-link';
import { createNetwork, namespacesMissing, type Network, runIn } from './net/namespace';

const missing =
  namespacesMissing() ??
  ['/dev/net/tun', '/usr/sbin/dhclient', '/usr/bin/tftp', '/usr/bin/curl'].find((path) => !existsSync(path));
if (missing) console.warn(`SKIPPED: a bad network: ${missing}`);

const server = '10.93.0.1';
const cables: readonly Losses[] = [
  { drop: 0.1, duplicate: 0, reorder: 0, seed: 1 },
  { drop: 0, duplicate: 0.3, reorder: 0, seed: 2 },
  { drop: 0, duplicate: 0, reorder: 0.2, seed: 3 },
  { drop: 0.05, duplicate: 0.1, reorder: 0.1, seed: 4 },
];
const machines = cables.map((losses, i) => ({
  losses,
  mac: `02:93:00:00:00:1${i}`,
  id: `02-93-00-00-00-1${i}`,
  address: `10.93.0.1${i}`,
}));
const program = Uint8Array.from({ length: 30_003 }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let network: Network;
let boots: BootsProcess;
let folder: string;

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'bad-network-'));
  await writeFile(join(folder, 'undionly.kpxe'), program);
  network = await createNetwork('bbad', server);
  const hardware = machines.map(({ id, address }, i) =>
    hardwareRecord({
      id: `00000000-0000-4000-8000-00000000001${i}`,
      network: { interfaces: [hardwareInterface(id, address)] },
    }),
  );
  boots = await startBootsIn(network, { settings: { BOOTS_IPXE_DIR: folder }, hardware });
});
afterAll(async () => {
  if (missing) return;
  await boots.stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

async function boot(namespace: string, id: string, address: string): Promise<void> {
  const run = (command: readonly string[]) => runIn(namespace, command, { timeoutMs: 60_000 });
  const file = (name: string) => join(folder, `${id}.${name}`);
  expect((await dhclient(folder, namespace, '-1')).address).toBe(address);
  await run(['tftp', '-m', 'binary', server, '-c', 'get', 'undionly.kpxe', file('tftp')]);
  expect(digest(await readFile(file('tftp')))).toBe(digest(program));
  const url = `http://${server}:${boots.ports.http}/undionly.kpxe`;
  const curl = await run(['curl', '-sS', '--fail', '--retry', '3', '-o', file('http'), url]);
  expect(curl.stderr).toBe('');
  expect(digest(await readFile(file('http')))).toBe(digest(program));
  await dhclient(folder, namespace, '-x');
}

describe.skipIf(missing !== undefined)('a bad network', () => {
  it.concurrent.each(machines)('$losses: a machine gets its lease once, and its boot file whole', async (machine) => {
    const { losses, mac, id, address } = machine;
    const client = await addLossyClient(network, { name: `bad${losses.seed}`, mac, losses });
    let accidents;
    try {
      await boot(client.namespace, id, address);
    } finally {
      accidents = await client.close();
    }
    expect(accidents.drop + accidents.duplicate + accidents.reorder).toBeGreaterThan(0);
    const bound = boots.events.filter(({ type, data }) => type === 'LeaseBound' && 'mac' in data && data.mac === id);
    expect(bound).toHaveLength(1);
  });
});
