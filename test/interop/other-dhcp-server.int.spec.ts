// boots beside a dnsmasq that hands out addresses on the same wire, which nobody told it of.
import { type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { createNetwork, namespacesMissing, type Network, runIn, spawnIn } from './net/namespace';

const tools = ['/usr/sbin/udhcpc', '/usr/sbin/dnsmasq'];
const lacking = tools.find((path) => !existsSync(path));
const missing = namespacesMissing() ?? (lacking && `needs ${lacking}`);
if (missing) console.warn(`SKIPPED: another DHCP server on the wire: ${missing}`);

let network: Network;
let boots: BootsProcess;
let dnsmasq: ChildProcess;
let folder: string;
let client: string;

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'boots-other-'));
  network = await createNetwork('bother', '10.94.0.1');
  client = await network.addClient('02:94:00:00:00:01');
  const other = await network.addClient('02:94:00:00:00:fe');
  await runIn(other, ['ip', 'addr', 'add', '10.94.0.254/24', 'dev', 'eth0']);
  dnsmasq = spawnIn(other, [
    ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--pid-file='],
    ...['--interface=eth0', '--bind-interfaces', '--no-ping', `--dhcp-leasefile=${folder}/leases`],
    ...['--dhcp-range=10.94.0.100,10.94.0.110,255.255.255.0', '--log-facility=/dev/null'],
  ]);
  boots = await startBootsIn(network, { settings: { BOOTS_IPXE_DIR: folder, BOOTS_OSIE_DIR: folder }, hardware: [] });
}, 60_000);
afterAll(async () => {
  if (missing) return;
  await boots?.stop();
  dnsmasq?.kill('SIGKILL');
  await network?.close();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(missing !== undefined)('another DHCP server on the wire', () => {
  it('answers the question that boots asks at its start', { timeout: 60_000 }, async () => {
    const { data } = await boots.event('DhcpServerFound');
    expect(data).toMatchObject({ server: '10.94.0.254', sign: 'offer', clientMac: '02-74-69-6e-6b-01' });
    expect(data.offered).toMatch(/^10\.94\.0\.1\d\d$/);
    expect(boots.log()).toContain('another DHCP server is on the wire: 10.94.0.254 (offer, client 02-74-69-6e-6b-01)');
    // Our own question comes back to us, and is no machine that was not served.
    expect(boots.events.map(({ type }) => type)).toEqual(['DhcpServerFound']);
  });

  it('is told of once, though boots answers none of its clients', { timeout: 60_000 }, async () => {
    // -B: replies by broadcast, so that the OFFER itself is heard.
    const ask = ['udhcpc', '-B', '-n', '-q', '-f', '-i', 'eth0', '-s', '/bin/true', '-t', '10', '-T', '1'];
    expect((await runIn(client, ask, { timeoutMs: 30_000 })).code).toBe(0);
    expect((await runIn(client, ask, { timeoutMs: 30_000 })).code).toBe(0);
    expect(boots.log().match(/another DHCP server is on the wire: 10\.94\.0\.254 /g)).toHaveLength(1);
    expect(boots.events.filter(({ type }) => type === 'DhcpServerFound')).toHaveLength(1);
    for (const sign of ['ack', 'request']) {
      const { stdout } = await runIn(network.server, ['curl', '-sS', 'http://10.94.0.1/metrics']);
      expect(stdout).toMatch(new RegExp(`^boots_dhcp_other_server_messages_total\\{sign="${sign}"\\} 2$`, 'm'));
    }
  });

  it('is asked for as soon as a proxy is to give out leases', { timeout: 60_000 }, async () => {
    await boots.stop();
    const file = join(folder, 'dhcp.yaml');
    const mode = (name: string) => writeFile(file, `subnets: [{ subnet: 10.94.0.0/24, mode: ${name} }]\n`);
    await mode('proxy');
    const settings = { BOOTS_IPXE_DIR: folder, BOOTS_OSIE_DIR: folder, BOOTS_DHCP_FILE: file };
    boots = await startBootsIn(network, { settings, hardware: [] });
    expect(boots.events).toEqual([]);
    await mode('reservation');
    expect((await boots.event('DhcpServerFound')).data).toMatchObject({ server: '10.94.0.254', sign: 'offer' });
  });
});
