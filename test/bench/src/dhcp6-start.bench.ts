import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { type Bench, type Figure, figure } from './bench';
import { fillLeases6, pool6OfFill } from './dhcp/fill-leases';
import { type OurServer, startOn } from './dhcp/ours';
import { cpuSeconds } from './network-load';

const leases = Number(process.env['BENCH_LEASES'] ?? 100_000);
/** What came after the snapshot: fewer than make boots write another. */
const late = Math.floor(leases / 5);
const maxSeconds = 5;

/** From the start of the process until it answers, and what that took of a core. */
interface Start {
  readonly ours: OurServer;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const run = (command: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const [program = '', ...args] = command;
  return spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
};
/** Nobody asks for a lease here. */
const loopback = { address: '127.0.0.1', server: run, client: run };

async function timed(nats: TestNats, folder: string): Promise<Start> {
  const from = performance.now();
  const settings = {
    ...{ BENCH_DATA: folder, BOOTS_DHCP_FILE: join(folder, 'dhcp.yaml'), BOOTS_DHCP: 'false' },
    ...{ BOOTS_DHCP6: 'true', PUBLIC_IP6: '::1' },
  };
  const ours = await startOn(nats, loopback, settings, 'boots_pool6_active 1');
  return { ours, seconds: (performance.now() - from) / 1000, cpuSeconds: await cpuSeconds(ours.pids[0]) };
}

async function measure(nats: TestNats, folder: string, progress: (text: string) => void): Promise<readonly Figure[]> {
  await writeFile(join(folder, 'dhcp.yaml'), pool6OfFill);
  await fillLeases6(nats.url, 0, leases - late);
  progress(`${leases - late} leases stored`);
  const first = await timed(nats, folder);
  await first.ours.stop();
  const file = join(folder, 'lease-pool-default-v6.snapshot');
  const perLease = (await stat(file)).size / (leases - late);
  const ended = await timed(nats, folder);
  await ended.ours.kill();
  await fillLeases6(nats.url, leases - late, leases);
  progress(`${late} more, of which the snapshot says nothing`);
  const killed = await timed(nats, folder);
  await killed.ours.stop();
  await rm(file);
  const bare = await timed(nats, folder);
  await bare.ours.stop();
  const started = (name: string, start: Start, limit: number, note: string) =>
    figure(name, start.seconds, limit, 's', `below is better; ${start.cpuSeconds.toFixed(1)} s of CPU; ${note}`);
  return [
    started('start after its end', ended, maxSeconds, `${leases - late} leases`),
    started('start after kill -9', killed, maxSeconds, `${leases} leases; the old lease of the pool runs out first`),
    started('without a snapshot', bare, maxSeconds, `${leases} leases`),
    figure('snapshot', perLease, 256, 'bytes a lease', 'below is better'),
  ];
}

export const dhcp6Start: Bench = {
  name: 'dhcp6-start',
  about: `boots with ${leases} IPv6 leases: how long a start takes`,
  async run(progress) {
    const nats = await startTestNats();
    const folder = await mkdtemp(join(tmpdir(), 'tink-bench-dhcp6-'));
    try {
      return await measure(nats, folder, progress);
    } finally {
      await nats.stop();
      await rm(folder, { recursive: true });
    }
  },
};
