import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { type Bench, figure } from './bench';
import { fillLeases, poolOfFill } from './dhcp/fill-leases';
import { type OurServer, startOn } from './dhcp/ours';
import { type Exchanges, highestRate, perfdhcp } from './dhcp/perfdhcp';
import { openWire, type Wire } from './dhcp/wire';
import { cpuSeconds } from './network-load';

const [few, many] = [1000, Number(process.env['BENCH_LEASES'] ?? 250_000)];
const limits = { share: 0.9, bytesALease: 1024, startSeconds: 5 };
const clients = 10_000;
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3);
const calmRate = 500;
const warmRate = 2000;
/** V8 collects what is old when little is new. */
const restMs = 20_000;
/** A tenth apart. */
const rates = Array.from({ length: 37 }, (_, i) => Math.round(500 * 1.1 ** i));

interface Held {
  readonly leases: number;
  readonly best: Exchanges | undefined;
  readonly cpuMicroseconds: number;
  /** Right after the highest rate, with what is not collected yet. */
  readonly busyBytes: number;
  /** When nobody has asked for a while. */
  readonly residentBytes: number;
}

/** From the start of the process until it answers, and what that took of a core. */
interface Start {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface Starts {
  readonly afterEnd: Start;
  readonly afterKill: Start;
  readonly withoutSnapshot: Start;
}

/** boots on a log of its own, with a folder of its own. */
interface Site {
  readonly wire: Wire;
  readonly nats: TestNats;
  readonly folder: string;
  start(): Promise<OurServer>;
}

async function openSite(wire: Wire): Promise<Site> {
  const nats = await startTestNats({ host: wire.host });
  const folder = await mkdtemp(join(tmpdir(), 'tink-bench-scale-'));
  const file = join(folder, 'dhcp.yaml');
  await writeFile(file, poolOfFill);
  const settings = { BENCH_DATA: folder, BOOTS_DHCP_FILE: file };
  return { wire, nats, folder, start: () => startOn(nats, wire, settings) };
}

async function residentBytes({ pids: [boots] }: OurServer): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${boots}/status`, 'utf8'))?.[1]) * 1024;
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

async function hold({ wire }: Site, ours: OurServer, leases: number, progress: (text: string) => void): Promise<Held> {
  const cpu = async () => (await Promise.all(ours.pids.map(cpuSeconds))).reduce((sum, each) => sum + each, 0);
  // Until it is compiled.
  for (let runs = 0; runs < 2; runs++) await perfdhcp(wire, { rate: warmRate, clients, seconds });
  const before = await cpu();
  const calm = await perfdhcp(wire, { rate: calmRate, clients, seconds });
  const cpuMicroseconds = (((await cpu()) - before) / calm.completed) * 1e6;
  const best = await highestRate(rates, (rate) => perfdhcp(wire, { rate, clients, seconds }));
  const busyBytes = await residentBytes(ours);
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const held = { leases, best, cpuMicroseconds, busyBytes, residentBytes: await residentBytes(ours) };
  progress(
    `${leases} leases held: ${best?.rate.toFixed(0)}/s, ${cpuMicroseconds.toFixed(0)} µs of CPU an exchange at ${calmRate}/s, ${mebibytes(busyBytes)} MiB, ${mebibytes(held.residentBytes)} at rest`,
  );
  return held;
}

async function timed(start: () => Promise<OurServer>): Promise<Start & { readonly ours: OurServer }> {
  const from = performance.now();
  const ours = await start();
  return { ours, seconds: (performance.now() - from) / 1000, cpuSeconds: await cpuSeconds(ours.pids[0]) };
}

async function restarts({ folder, start }: Site, running: OurServer): Promise<Starts> {
  await running.stop();
  const ended = await timed(start);
  await ended.ours.kill();
  const killed = await timed(start);
  await killed.ours.stop();
  await rm(join(folder, 'lease-pool-default.snapshot'));
  const bare = await timed(start);
  await bare.ours.stop();
  return { afterEnd: ended, afterKill: killed, withoutSnapshot: bare };
}

async function measure(wire: Wire, progress: (text: string) => void) {
  const site = await openSite(wire);
  try {
    await fillLeases(site.nats.url, 0, few);
    const first = await site.start();
    const little = await hold(site, first, few, progress);
    await first.stop();
    const from = performance.now();
    await fillLeases(site.nats.url, few, many);
    progress(`${many} leases stored after ${((performance.now() - from) / 1000).toFixed(0)} s`);
    const second = await site.start();
    const much = await hold(site, second, many, progress);
    const starts = await restarts(site, second);
    progress(
      `without a snapshot a start takes ${starts.withoutSnapshot.seconds.toFixed(1)} s, ${cpuOf(starts.withoutSnapshot)}`,
    );
    return { little, much, starts };
  } finally {
    await site.nats.stop();
    await rm(site.folder, { recursive: true });
  }
}

const cpuOf = (start: Start) => `${start.cpuSeconds.toFixed(1)} s of CPU`;

export const dhcpScale: Bench = {
  name: 'dhcp-scale',
  about: `leases held ${few} and ${many}: exchanges a second, memory, and how long a start takes`,
  async run(progress) {
    const wire = await openWire();
    try {
      const { little, much, starts } = await measure(wire, progress);
      const bytes = (much.residentBytes - little.residentBytes) / (many - few);
      const below = 'below is better';
      const { afterEnd, afterKill } = starts;
      return [
        figure(
          'rate',
          much.best?.rate ?? 0,
          (little.best?.rate ?? 0) * limits.share,
          '/s',
          `limit: 0.9 × that with ${few}`,
        ),
        figure('CPU an exchange', much.cpuMicroseconds, little.cpuMicroseconds, 'µs', `${below}; limit: with ${few}`),
        figure('memory of a lease', bytes, limits.bytesALease, 'bytes', `${below}; resident, at rest`),
        figure('start after its end', afterEnd.seconds, limits.startSeconds, 's', `${below}; ${cpuOf(afterEnd)}`),
        figure(
          'start after kill -9',
          afterKill.seconds,
          limits.startSeconds,
          's',
          `${below}; ${cpuOf(afterKill)}; its old lease of the pool runs out first`,
        ),
      ];
    } finally {
      await wire.close();
    }
  },
};
