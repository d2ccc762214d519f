import { type Bench, figure } from './bench';
import { freshOurs } from './dhcp/ours';
import { type DhcpServer, peersOn } from './dhcp/peers';
import { avalanche, type Exchanges, perfdhcp } from './dhcp/perfdhcp';
import { openWire, type Wire } from './dhcp/wire';

const machines = Number(process.env['BENCH_CLIENTS'] ?? 10_000);
const powerOnSeconds = 10;
const limits = { p99Ms: 1000, allAtOnceSeconds: 10 };

interface Storm {
  /** As many a second, each of which asks once. */
  readonly spread: Exchanges;
  /** All in the same instant, each asks again until it is answered. */
  readonly atOnce: Exchanges;
}

/** Each time by a server that has just been started, as when the power comes back. */
async function storm(wire: Wire, server: DhcpServer, progress: (text: string) => void): Promise<Storm> {
  const measure = async (what: string, load: () => Promise<Exchanges>) => {
    const running = await server.start();
    try {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const run = await load();
      const { completed, seconds, offer, ack } = run;
      progress(
        `${server.name}, ${what}: ${completed} leased after ${seconds.toFixed(1)} s, OFFER p50 ${offer.p50.toFixed(1)} p99 ${offer.p99.toFixed(1)} ms, ACK p50 ${ack.p50.toFixed(1)} p99 ${ack.p99.toFixed(1)} ms`,
      );
      return run;
    } finally {
      await running.stop();
    }
  };
  const load = { rate: machines / powerOnSeconds, clients: machines, seconds: powerOnSeconds };
  return {
    spread: await measure(`within ${powerOnSeconds} s`, () => perfdhcp(wire, load)),
    atOnce: await measure('at once', () => avalanche(wire, machines)),
  };
}

export const dhcpBootStorm: Bench = {
  name: 'dhcp-boot-storm',
  about: `${machines} machines powered on within ${powerOnSeconds} s, and all in one instant; leases durable, against kea-dhcp4`,
  async run(progress) {
    const wire = await openWire();
    try {
      const ours = await storm(wire, freshOurs(wire, 'records', machines), progress);
      const kea = peersOn(wire).find(({ name }) => name === 'kea');
      const theirs = kea && (await storm(wire, kea, progress));
      const besideKea = (value: number | undefined, unit: string) =>
        `below is better; kea ${value?.toFixed(1)} ${unit}`;
      return [
        figure(
          `leased, within ${powerOnSeconds} s`,
          ours.spread.completed,
          ours.spread.sent,
          'machines',
          'each asked once',
        ),
        ...(['offer', 'ack'] as const).map((answer) =>
          figure(
            `p99 of ${answer.toUpperCase()}, within ${powerOnSeconds} s`,
            ours.spread[answer].p99,
            limits.p99Ms,
            'ms',
            besideKea(theirs?.spread[answer].p99, 'ms'),
          ),
        ),
        figure('leased, at once', ours.atOnce.completed, machines, 'machines', 'each asked until it was'),
        figure(
          'all leased, at once',
          ours.atOnce.seconds,
          limits.allAtOnceSeconds,
          's',
          besideKea(theirs?.atOnce.seconds, 's'),
        ),
      ];
    } finally {
      await wire.close();
    }
  },
};
