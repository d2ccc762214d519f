import type { Cluster } from '../cluster/cluster';
import { natsHosts, tinkHosts } from '../cluster/addresses';
import { pause } from '@tinkerbell/messaging';
import type { Random } from '../random';

/** One thing that goes wrong for a while. `hit` resolves when it is over. */
export interface Fault {
  readonly kind: string;
  readonly what: string;
  /** How long it lasts. */
  readonly ms: number;
  hit(cluster: Cluster, end: AbortSignal): Promise<void>;
}

type Maker = (random: Random) => Fault;

const nats = (i: number) => `nats-server ${i}`;
const tink = (i: number) => `tink-server ${i}`;

const kills: readonly Maker[] = [
  (random) => {
    const [i, ms] = [random.between(0, 2), random.between(500, 8_000)];
    return {
      kind: 'kill nats',
      what: `kill -9 ${nats(i)}`,
      ms,
      hit: (cluster, end) => killNats(cluster, [i], ms, end),
    };
  },
  (random) => {
    const [kept, ms] = [random.between(0, 2), random.between(1_000, 5_000)];
    const killed = [0, 1, 2].filter((i) => i !== kept);
    return {
      kind: 'kill majority',
      what: `kill -9 ${killed.map(nats).join(' and ')}`,
      ms,
      hit: (cluster, end) => killNats(cluster, killed, ms, end),
    };
  },
  (random) => {
    const ms = random.between(500, 3_000);
    return {
      kind: 'kill all nats',
      what: 'kill -9 all nats-servers',
      ms,
      hit: (cluster, end) => killNats(cluster, [0, 1, 2], ms, end),
    };
  },
  (random) => {
    const [i, ms] = [random.between(0, 1), random.between(200, 5_000)];
    return {
      kind: 'kill tink',
      what: `kill -9 ${tink(i)}`,
      ms,
      hit: (cluster, end) => killTink(cluster, [i], ms, end),
    };
  },
  (random) => {
    const ms = random.between(200, 3_000);
    return {
      kind: 'kill both tinks',
      what: 'kill -9 both tink-servers',
      ms,
      hit: (cluster, end) => killTink(cluster, [0, 1], ms, end),
    };
  },
];

const stops: readonly Maker[] = [
  (random) => {
    const [i, ms] = [random.between(0, 2), random.between(2_000, 12_000)];
    return { kind: 'pause nats', what: `SIGSTOP ${nats(i)}`, ms, hit: (cluster, end) => stopNats(cluster, i, ms, end) };
  },
  (random) => {
    // Past the time of its leases, so that it goes on as one that has lost them.
    const [i, ms] = [random.between(0, 1), random.between(4_000, 10_000)];
    return {
      ...{ kind: 'pause tink', what: `SIGSTOP ${tink(i)}`, ms },
      async hit({ tink: servers }, end) {
        servers[i]?.signal('SIGSTOP');
        await pause(ms, end);
        servers[i]?.signal('SIGCONT');
      },
    };
  },
  (random) => {
    const [i, ms] = [random.between(0, 2), random.between(5_000, 10_000)];
    return {
      ...{
        kind: 'stutter',
        what: `${nats(i)} stands still for 150 ms of every 200`,
        ms,
      },
      async hit(cluster, end) {
        for (let left = ms; left > 0 && !end.aborted; left -= 200) {
          await stopNats(cluster, i, 150, end);
          await pause(50, end);
        }
      },
    };
  },
];

const network: readonly Maker[] = [
  (random) => {
    const [i, ms] = [random.between(0, 2), random.between(3_000, 12_000)];
    const [own, ...others] = [natsHosts[i] ?? natsHosts[0], ...natsHosts.filter((_, n) => n !== i)];
    return {
      kind: 'partition nats',
      what: `${nats(i)} apart from the other two, not from its clients`,
      ms,
      hit: apart(own, others, ms),
    };
  },
  (random) => {
    const [i, ms] = [random.between(0, 2), random.between(3_000, 12_000)];
    const own = natsHosts[i] ?? natsHosts[0];
    const others = [...natsHosts.filter((host) => host !== own), ...tinkHosts, '10.77.0.31'];
    return { kind: 'isolate nats', what: `${nats(i)} apart from everybody`, ms, hit: apart(own, others, ms) };
  },
  (random) => {
    const [a, b, ms] = [random.between(0, 2), random.between(1, 2), random.between(3_000, 10_000)];
    const [one, other] = [natsHosts[a] ?? natsHosts[0], natsHosts[(a + b) % 3] ?? natsHosts[1]];
    return {
      kind: 'cut one route',
      what: `${nats(a)} apart from ${nats((a + b) % 3)}, both see the third`,
      ms,
      hit: apart(one, [other], ms),
    };
  },
  (random) => {
    const [i, ms] = [random.between(0, 1), random.between(3_000, 12_000)];
    return {
      kind: 'isolate tink',
      what: `${tink(i)} apart from all nats-servers`,
      ms,
      hit: apart(tinkHosts[i] ?? tinkHosts[0], natsHosts, ms),
    };
  },
];

const surroundings: readonly Maker[] = [
  (random) => {
    const ms = random.between(4_000, 9_000);
    return {
      ...{ kind: 'full disk', what: `${nats(2)} has no space left`, ms },
      async hit({ disk }, end) {
        await disk.fill();
        await pause(ms, end);
        await disk.free(); // its supervisor sees the space and starts it again
      },
    };
  },
  (random) => {
    const [kilobytes, ms] = [random.pick([20, 100, 500]), random.between(5_000, 12_000)];
    return {
      ...{ kind: 'slow disk', what: `the disk of ${nats(2)} takes ${kilobytes} kB in a second`, ms },
      async hit({ disk }, end) {
        await disk.slow(kilobytes * 8_000);
        await pause(ms, end);
        await disk.fast();
      },
    };
  },
  (random) => {
    const [i, ms] = [random.between(0, 1), random.between(4_000, 12_000)];
    const hours = random.pick([2, -2, 24, -490_000]);
    return {
      ...{ kind: 'clock', what: `the clock of ${tink(i)} is set by ${hours} h`, ms },
      async hit({ tink: servers }, end) {
        servers[i]?.setClock(hours * 3_600);
        await pause(ms, end);
        servers[i]?.setClock(0);
      },
    };
  },
];

/** Every kind of fault. */
export const makers: readonly Maker[] = [...kills, ...stops, ...network, ...surroundings];

async function killNats(cluster: Cluster, indexes: readonly number[], ms: number, end: AbortSignal): Promise<void> {
  const servers = indexes.flatMap((i) => cluster.nats[i] ?? []);
  await Promise.all(servers.map((server) => server.kill()));
  await pause(ms, end);
  await Promise.all(servers.map((server) => server.restart()));
}

async function killTink(cluster: Cluster, indexes: readonly number[], ms: number, end: AbortSignal): Promise<void> {
  const servers = indexes.flatMap((i) => cluster.tink[i] ?? []);
  await Promise.all(servers.map((server) => server.end('SIGKILL')));
  await pause(ms, end);
  for (const server of servers) server.start();
}

async function stopNats({ nats: servers }: Cluster, i: number, ms: number, end: AbortSignal): Promise<void> {
  const pid = servers[i]?.pid;
  if (pid === undefined) return;
  process.kill(pid, 'SIGSTOP');
  await pause(ms, end);
  if (servers[i]?.pid === pid) process.kill(pid, 'SIGCONT');
}

function apart(host: string, others: readonly string[], ms: number): Fault['hit'] {
  return async ({ places }, end) => {
    for (const other of others) await places.separate(host, other);
    await pause(ms, end);
    for (const other of others) await places.join(host, other);
  };
}
