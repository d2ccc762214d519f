import { type Bench, figure } from './bench';
import { startOurs } from './dhcp/ours';
import { type DhcpServer, peersOn, type Running } from './dhcp/peers';
import { type Delays, type Exchanges, highestRate, perfdhcp } from './dhcp/perfdhcp';
import { openWire, type Wire } from './dhcp/wire';
import { cpuSeconds } from './network-load';

const clients = 10_000;
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3);
const rates = [250, 350, 500, 700, 1000, 1400, 2000, 2800, 4000, 5000, 6000, 7000, 8000, 9500, 11_000, 13_000, 16_000];
/** Where everybody's latency is looked at: below what the slowest takes. */
const calmRate = 250;

interface Result {
  readonly name: string;
  readonly durability: string;
  readonly best: Exchanges | undefined;
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

async function trial(wire: Wire, server: DhcpServer, progress: (text: string) => void): Promise<Result> {
  let spentSeconds = 0;
  const measure = async (rate: number) => {
    const running = await server.start();
    try {
      await settle();
      const before = await cpuOf(running);
      const run = await perfdhcp(wire, { rate, clients, seconds });
      spentSeconds = (await cpuOf(running)) - before;
      progress(
        `${server.name} at ${rate}/s: ${run.rate.toFixed(0)}/s, ${(run.dropped * 100).toFixed(2)} % dropped, OFFER ${said(run.offer)}, ACK ${said(run.ack)}`,
      );
      return run;
    } finally {
      await running.stop();
    }
  };
  const calm = await measure(calmRate);
  const cpuMicroseconds = (spentSeconds / calm.completed) * 1e6;
  progress(`${server.name}: ${cpuMicroseconds.toFixed(0)} µs of CPU an exchange`);
  const best = await highestRate(rates, measure);
  return { name: server.name, durability: server.durability, calm, cpuMicroseconds, best };
}

export const dhcp: Bench = {
  name: 'dhcp',
  about:
    'four-way exchanges a second with less than 1 % dropped, every lease durable, against kea-dhcp4, dnsmasq and isc-dhcpd',
  async run(progress) {
    const wire = await openWire();
    try {
      const own = await startOurs(wire, clients);
      const ours: DhcpServer = {
        ...{ name: 'boots', durability: 'JetStream, fsync before each ACK' },
        start: async () => ({ pids: own.pids, stop: async () => undefined }),
      };
      const results: Result[] = [];
      try {
        results.push(await trial(wire, ours, progress));
      } finally {
        await own.stop();
      }
      for (const peer of peersOn(wire)) results.push(await trial(wire, peer, progress));
      const [mine, ...others] = results;
      return others.flatMap((other) => [
        figure(
          `dhcp against ${other.name}`,
          mine?.best?.rate ?? 0,
          other.best?.rate ?? 0,
          '/s',
          `ours: ${mine?.durability}; theirs: ${other.durability}`,
        ),
        ...(['offer', 'ack'] as const).map((answer) =>
          figure(
            `p99 of ${answer.toUpperCase()} at its highest rate, ${other.name}`,
            mine?.best?.[answer].p99 ?? Number.NaN,
            other.best?.[answer].p99 ?? Number.NaN,
            'ms',
            'below is better',
          ),
        ),
        figure(
          `p99 of ACK at ${calmRate}/s, ${other.name}`,
          mine?.calm.ack.p99 ?? Number.NaN,
          other.calm.ack.p99,
          'ms',
          `below is better; medians ${mine?.calm.ack.p50.toFixed(2)} and ${other.calm.ack.p50.toFixed(2)} ms`,
        ),
        figure(
          `CPU an exchange, ${other.name}`,
          mine?.cpuMicroseconds ?? Number.NaN,
          other.cpuMicroseconds,
          'µs',
          'below is better; ours with its nats-server',
        ),
      ]);
    } finally {
      await wire.close();
    }
  },
};
