import { type Bench, type Figure, figure } from './bench';
import { freshOurs, type Origin } from './dhcp/ours';
import { type DhcpServer, peersOn, reservingPeer, type Running } from './dhcp/peers';
import { type Delays, type Exchanges, hasPassed, highestRate, perfdhcp } from './dhcp/perfdhcp';
import { openWire, type Wire } from './dhcp/wire';
import { cpuSeconds } from './network-load';

const clients = 10_000;
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3);
/** A fifteenth apart. */
const rates = Array.from({ length: 72 }, (_, i) => Math.round(150 * (16 / 15) ** i));
/** Of boots, whose code is compiled while it runs: tried first, and told. */
const warmRate = 2000;
/** Where everybody's latency is looked at: below what the slowest takes. */
const calmRate = 250;

interface Result {
  readonly name: string;
  readonly durability: string;
  readonly best: Exchanges | undefined;
  /** What was offered then. */
  readonly bestRate: number;
  readonly calm: Exchanges;
  /** Of the server, its database included, for one exchange at the calm rate. */
  readonly cpuMicroseconds: number;
}

const said = ({ p50, p99 }: Delays) => `${p50.toFixed(2)} ms (p99 ${p99.toFixed(2)})`;

const settle = () => new Promise((resolve) => setTimeout(resolve, 500));

async function cpuOf({ pids }: Running): Promise<number> {
  const spent = await Promise.all(pids.map((pid) => cpuSeconds(pid)));
  return spent.reduce((sum, each) => sum + each, 0);
}

/** One trial of a server that is started for it. */
async function measured(wire: Wire, server: DhcpServer, rate: number, progress: (text: string) => void) {
  const running = await server.start();
  try {
    await settle();
    const before = await cpuOf(running);
    const run = await perfdhcp(wire, { rate, clients, seconds });
    const spentSeconds = (await cpuOf(running)) - before;
    progress(
      `${server.name}, ${rate}/s offered: ${run.rate.toFixed(0)}/s, ${(run.dropped * 100).toFixed(2)} % dropped, OFFER ${said(run.offer)}, ACK ${said(run.ack)}`,
    );
    return { run, spentSeconds };
  } finally {
    await running.stop();
  }
}

async function trials(wire: Wire, server: DhcpServer, progress: (text: string) => void): Promise<Result> {
  const { run: calm, spentSeconds } = await measured(wire, server, calmRate, progress);
  const cpuMicroseconds = (spentSeconds / calm.completed) * 1e6;
  progress(`${server.name}: ${cpuMicroseconds.toFixed(0)} µs of CPU an exchange`);
  let bestRate = 0;
  const best = await highestRate(rates, async (rate) => {
    const { run } = await measured(wire, server, rate, progress);
    if (hasPassed(run)) bestRate = Math.max(bestRate, rate);
    return run;
  });
  return { name: server.name, durability: server.durability, calm, cpuMicroseconds, best, bestRate };
}

/** Ours, and ours at the highest rate of each peer. */
async function ourTrials(
  wire: Wire,
  origin: Origin,
  peers: readonly Result[],
  progress: (text: string) => void,
): Promise<{ readonly mine: Result; readonly beside: readonly Exchanges[] }> {
  const fresh = freshOurs(wire, origin, clients);
  const own = await fresh.start();
  const ours: DhcpServer = { ...fresh, start: async () => ({ pids: own.pids, stop: async () => undefined }) };
  try {
    for (let i = 0; i < 2; i++) await measured(wire, ours, warmRate, progress);
    const mine = await trials(wire, ours, progress);
    const beside: Exchanges[] = [];
    for (const { bestRate } of peers) beside.push((await measured(wire, ours, bestRate, progress)).run);
    return { mine, beside };
  } finally {
    await own.stop();
  }
}

async function compared(
  wire: Wire,
  origin: Origin,
  servers: readonly DhcpServer[],
  progress: (text: string) => void,
): Promise<readonly Figure[]> {
  const peers: Result[] = [];
  for (const server of servers) peers.push(await trials(wire, server, progress));
  const { mine, beside } = await ourTrials(wire, origin, peers, progress);
  return peers.flatMap((other, i) => figuresOf(mine, other, beside[i]));
}

function figuresOf(mine: Result, other: Result, beside: Exchanges | undefined): readonly Figure[] {
  return [
    figure(
      `dhcp against ${other.name}`,
      mine.best?.rate ?? 0,
      other.best?.rate ?? 0,
      '/s',
      `ours: ${mine.durability}; theirs: ${other.durability}`,
    ),
    ...(['offer', 'ack'] as const).map((answer) =>
      figure(
        `p99 of ${answer.toUpperCase()}, ${other.bestRate}/s offered, the highest of ${other.name}`,
        beside?.[answer].p99 ?? Number.NaN,
        other.best?.[answer].p99 ?? Number.NaN,
        'ms',
        `below is better; ours at its own highest: ${mine.best?.[answer].p99.toFixed(1)} ms`,
      ),
    ),
    figure(
      `p99 of ACK at ${calmRate}/s, ${other.name}`,
      mine.calm.ack.p99,
      other.calm.ack.p99,
      'ms',
      `below is better; medians ${mine.calm.ack.p50.toFixed(2)} and ${other.calm.ack.p50.toFixed(2)} ms`,
    ),
    figure(
      `CPU an exchange, ${other.name}`,
      mine.cpuMicroseconds,
      other.cpuMicroseconds,
      'µs',
      'below is better; ours with its nats-server',
    ),
  ];
}

export const dhcp: Bench = {
  name: 'dhcp',
  about:
    'four-way exchanges a second with less than 1 % dropped, every lease durable, against kea-dhcp4, dnsmasq and isc-dhcpd',
  async run(progress) {
    const wire = await openWire();
    try {
      return [
        ...(await compared(wire, 'pool', peersOn(wire), progress)),
        ...(await compared(wire, 'records', [reservingPeer(wire, clients)], progress)),
      ];
    } finally {
      await wire.close();
    }
  },
};
