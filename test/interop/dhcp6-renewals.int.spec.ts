// How DHCPv6 clients that we did not write keep their lease: dhclient -6, dhcpcd and systemd-networkd ask boots by name at T1, and
// everybody at T2 when nobody answered.
import { existsSync, mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type BootsProcess, startBootsIn } from './net/boots-process';
import { networkd } from './net/dhcp-clients';
import { createNetwork, linkLocal, namespacesMissing, type Network, spawnIn } from './net/namespace';

interface Client {
  readonly program: string;
  readonly mac: string;
  readonly address: string;
  /** T1 is half of it, T2 four fifths. */
  readonly leaseSeconds: number;
  /** Stays in the foreground and logs to standard error. */
  readonly command: readonly string[];
  /** Told on standard input. */
  readonly input?: string;
}

const folder = mkdtempSync(join(tmpdir(), 'dhcp6-renewals-'));
const file = (name: string) => join(folder, name);
/** It looks whether T2 is over 9 to 11 s after its Renew: T2 lies before that, and the end of the lease behind. */
const dhclient: Client = {
  ...{ program: '/usr/sbin/dhclient', mac: '02:97:08:00:00:10', address: 'fd97:8::10', leaseSeconds: 24 },
  command: [
    ...['dhclient', '-6', '-d', '-v', '-cf', '/dev/null', '-lf', file('leases'), '-pf', file('pid')],
    ...['-sf', file('script'), 'eth0'],
  ],
};
const dhcpcd: Client = {
  ...{ program: '/usr/sbin/dhcpcd', mac: '02:97:08:00:00:11', address: 'fd97:8::11', leaseSeconds: 24 },
  command: [
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-ec'],
    `
      mount -t tmpfs none /var/lib/dhcpcd
      mount -t tmpfs none /run
      exec dhcpcd -6 -B -d -f ${file('dhcpcd.conf')} -c /bin/true eth0`,
  ],
};
/** Its timers go off up to 10 s late: with a shorter lease T1 and T2 could come at once. */
const systemd: Client = {
  ...{ program: '/lib/systemd/systemd-networkd', mac: '02:97:08:00:00:12', address: 'fd97:8::12', leaseSeconds: 40 },
  command: networkd,
  input: `
    [Match]
    Name=eth0
    [Network]
    DHCP=ipv6
    LinkLocalAddressing=ipv6
    IPv6AcceptRA=no
    [DHCPv6]
    WithoutRA=solicit`,
};

const clients = [dhclient, dhcpcd, systemd];

const absent = clients.find(({ program }) => !existsSync(program));
const missing = namespacesMissing() ?? (absent && `needs ${absent.program}`);
if (missing) console.warn(`SKIPPED: renewals of DHCPv6 clients: ${missing}`);

const script = `#!/bin/sh
[ -n "$new_ip6_address" ] && ip -6 addr replace "$new_ip6_address/128" dev "$interface" nodad
exit 0
`;
let network: Network;
let boots: BootsProcess;

beforeAll(async () => {
  if (missing) return;
  await writeFile(file('script'), script, { mode: 0o755 });
  await writeFile(file('dhcpcd.conf'), 'duid\nipv6only\nnoipv6rs\nslaac hwaddr\ninterface eth0\n  ia_na 1\n');
  network = await createNetwork('bdhcp6r', '10.97.8.1', 'fd97:8::1');
  // boots hears nothing on a bridge without a single cable.
  await network.addClient('02:97:08:00:00:01');
  const hardware = clients.map(({ mac, address, leaseSeconds }, index) => {
    const base = hardwareInterface(mac.replaceAll(':', '-'), '10.97.8.9');
    const ip = { address, netmask: '', gateway: '', family: 6 };
    return hardwareRecord({
      id: `00000000-0000-4000-8000-0000000008${index + 10}`,
      network: { interfaces: [{ ...base, dhcp: { ...base.dhcp, ip, lease_time: leaseSeconds } }] },
    });
  });
  const settings = {
    ...{ BOOTS_IPXE_DIR: folder, BOOTS_DHCP: 'false', PUBLIC_IP6: 'fd97:8::1', BOOTS_DHCP6: 'true' },
    BOOTS_DHCP6_SUBNETS: 'fd97:8::/64=reservation',
  };
  boots = await startBootsIn(network, { settings, hardware });
});
afterAll(async () => {
  if (!missing) {
    await boots.stop();
    await network.close();
  }
  await rm(folder, { recursive: true, force: true });
});

interface Running {
  readonly namespace: string;
  log(): string;
  stop(): Promise<void>;
}

async function start({ mac, command, input }: Client): Promise<Running> {
  const namespace = await network.addClient(mac);
  await linkLocal(namespace);
  const child = spawnIn(namespace, command, { stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let log = '';
  child.stderr?.on('data', (bytes: Buffer) => (log += bytes.toString()));
  child.stdin?.end(input);
  return {
    namespace,
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const renewed = ({ address }: Client, clientState: 'renewing' | 'rebinding') =>
  boots.event('LeaseRenewed', ({ data }) => data.ip === address && data.clientState === clientState);

describe.skipIf(missing !== undefined)('a DHCPv6 client', () => {
  it.concurrent.for([
    {
      ...{ ...dhclient, asks: /XMT: Renew/g, has: /PRC: Renewal event scheduled/g },
      rebound: /XMT: Rebind on eth0[^]*RCV: Reply message/,
    },
    {
      ...{ ...dhcpcd, asks: /broadcasting RENEW6/g, has: /renew in \d+, rebind in/g },
      rebound: /executing: \/bin\/true REBIND6/,
    },
  ])('renews its lease, and asks everybody once boots is out of reach: $program', async (client, { expect }) => {
    const running = await start(client);
    const count = (what: RegExp) => [...running.log().matchAll(what)].length;
    const isRebound = () => client.rebound.test(running.log());
    try {
      await renewed(client, 'renewing');
      await expect.poll(() => count(client.has)).toBeGreaterThan(1);
      // A host too busy to mend the cable before the lease is over tries the next one.
      while (!isRebound()) {
        const [asked, had] = [count(client.asks), count(client.has)];
        await network.cable(running.namespace, 'out');
        await expect.poll(() => count(client.asks)).toBeGreaterThan(asked);
        await network.cable(running.namespace, 'in');
        await expect.poll(() => isRebound() || count(client.has) > had).toBe(true);
      }
      const { data } = await renewed(client, 'rebinding');
      expect(data).toMatchObject({ mac: client.mac.replaceAll(':', '-'), leaseSeconds: client.leaseSeconds });
    } finally {
      await running.stop();
    }
  });

  it.concurrent('renews its lease: systemd-networkd', async ({ expect }) => {
    const running = await start(systemd);
    try {
      await renewed(systemd, 'renewing');
      await expect.poll(() => running.log()).toContain('DHCPv6 client: State changed: renew -> bound');
    } finally {
      await running.stop();
    }
  });
});
