// Clients of Debian whose leases an operator ends with tink: others have the addresses then, and they themselves are told no.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dhclient6, udhcpc, type Udhcpc } from './net/dhcp-clients';
import { createNetwork, linkLocal, namespacesMissing, type Network, spawnIn } from './net/namespace';
import { buildSite, type Site, startSite } from './net/site';

const absent = ['/usr/sbin/dhclient', '/usr/bin/script'].find((path) => !existsSync(path));
const missing = namespacesMissing() ?? (absent && `needs ${absent}`);
if (missing) console.warn(`SKIPPED: leases that are ended: ${missing}`);

const [server, only] = ['10.93.0.1', '10.93.0.10'] as const;
const [server6, only6] = ['fd93::1', 'fd93::a010'] as const;
/** Nobody is asked whether he has an address: what keeps it from others is the lease. */
const dhcpFile = `
subnets:
  - { subnet: 10.93.0.0/24, name: lab, probe: false, pools: [{ ranges: [${only}] }] }
  - { subnet: "fd93::/64", name: lab6, range: ${only6}-${only6} }
`;

let network: Network;
let folder: string;
let site: Site;
const clients: Udhcpc[] = [];

beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'lease-end-'));
  await buildSite();
  network = await createNetwork('bend', server, server6);
  site = await startSite(network, folder, { ip6: server6, dhcpFile });
}, 300_000);
afterAll(async () => {
  if (missing) return;
  for (const client of clients) await client.stop();
  site?.kill();
  await network?.close();
  await rm(folder, { recursive: true, force: true });
});

async function take(mac: string): Promise<Udhcpc> {
  const client = udhcpc(folder, await network.addClient(mac));
  clients.push(client);
  await client.told(`ip='${only}'`);
  return client;
}

/** tink on a terminal, by script(1), where somebody types this when asked. */
async function onTerminal(answer: string, ...args: readonly string[]) {
  const command = [...site.command, ...args].join(' ');
  const child = spawnIn(network.server, ['script', '-qefc', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let shown = '';
  let isAsked = false;
  child.stdout?.on('data', (bytes: Buffer) => {
    shown += bytes.toString();
    if (isAsked || !shown.includes('[y/N]')) return;
    isAsked = true;
    child.stdin?.write(answer);
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, shown, isAsked };
}

/** `tink lease list --watch`, and how each lease was that it printed. */
function watching() {
  const child = spawnIn(network.server, [...site.command, 'lease', 'list', '--watch', '-o', 'json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  child.stdout?.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  const ended = once(child, 'close');
  return {
    async seen(...wanted: readonly string[]) {
      for (;;) {
        const rows = printed.split('\n').slice(0, -1);
        const seen = rows.map((row) => JSON.parse(row) as { readonly mac: string; readonly state: string });
        const now = seen.map(({ mac, state }) => `${mac} ${state}`);
        if (wanted.every((line) => now.includes(line))) return now;
        await once(child.stdout ?? child, 'data');
      }
    },
    async stop() {
      child.kill('SIGINT');
      return (await ended)[0] as number;
    },
  };
}

describe.skipIf(missing !== undefined)('a lease that an operator ends', () => {
  it('is another client’s at once, and its own client is told no', { timeout: 300_000 }, async () => {
    const [first, second] = ['02:93:00:00:00:01', '02:93:00:00:00:02'];
    const watch = watching();
    const { child } = await take(first);
    await watch.seen(`${first} bound`);
    const refused = await site.run('lease', 'end', only);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(`${only} is leased to ${first} until`);
    for (const answer of ['n\n', '\u0004']) {
      expect(await onTerminal(answer, 'lease', 'end', only)).toMatchObject({ code: 1, isAsked: true });
    }
    expect(await onTerminal('\u0003', 'lease', 'end', only)).toMatchObject({ code: 130, isAsked: true });
    expect(await site.tink('lease', 'get', only, '-o', 'json')).toMatchObject({ state: 'bound' });

    const ended = await onTerminal('y\n', 'lease', 'end', first);
    expect(ended).toMatchObject({ code: 0, isAsked: true });
    expect(ended.shown).toContain(`Ended\t${only}\tthe lease of ${first}`);
    await take(second);
    expect(await watch.seen(`${second} bound`)).toContain(`${first} ended`);
    expect(await watch.stop()).toBe(130);
    // It renews what it has no longer.
    child.kill('SIGUSR1');
    const events = async () =>
      (await site.run('events', '--from', 'all', '--type', 'lease', '-o', 'json')).stdout
        .trim()
        .split('\n')
        .map(
          (line) =>
            JSON.parse(line) as { readonly event: { readonly type: string; readonly data: { readonly mac: string } } },
        );
    const isRefused = async () =>
      (await events()).some(({ event: { type, data } }) => type === 'LeaseRefused' && data.mac === '02-93-00-00-00-01');
    while (!(await isRefused()));
    expect(await site.tink('lease', 'who-had', only, '-o', 'json')).toMatchObject({
      holder: { mac: second, state: 'bound' },
      previous: { mac: first, state: 'ended', endedBy: expect.stringMatching(/^user/) },
    });
    expect((await site.run('lease', 'history', only)).stdout).toMatch(/\| ended by \w+ +\|/);
    const none = await site.run('lease', 'end', '10.93.0.11', '--yes');
    expect(none).toMatchObject({ code: 4 });
    expect(none.stderr).toContain('10.93.0.11 is in no pool, and no hardware record has it');
  });

  it('is likewise of IPv6', { timeout: 300_000 }, async () => {
    const machines = ['02:93:00:00:00:61', '02:93:00:00:00:62'] as const;
    for (const mac of machines) {
      const client = await network.addClient(mac);
      await linkLocal(client);
      const { stderr: said } = await dhclient6(folder, client, ['-1']);
      await dhclient6(folder, client, ['-x']);
      expect(said).toContain(only6);
      expect(await site.tink('lease', 'who-had', only6, '-o', 'json')).toMatchObject({ holder: { mac } });
      const ended = await site.tink('lease', 'end', mac, '--yes', '-o', 'json');
      expect(ended).toMatchObject({ ip: only6, mac, was: 'bound', leasePool: 'default-v6', subnet: 'lab6' });
    }
    const again = await site.run('lease', 'end', only6, '--yes');
    expect(again).toMatchObject({ code: 4 });
    expect(again.stderr).toContain(`nobody has ${only6}: the lease of 02:93:00:00:00:62 is over`);
  });
});
