import { type Bench, type Figure, pairedFigure } from './bench';
import { inTurns, measured, megabytes, openField, type Run, untilServed } from './network-load';

const fileBytes = 1 << 20;
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7);
const [blockSize, windowSize] = [1468, 16];
/** Clients at once → transfers a run. */
const loads = [
  { clients: 1, transfers: 40 },
  { clients: 50, transfers: 300 },
  { clients: 500, transfers: 500 },
];
/** dnsmasq has no other port, so it gets an address of its own. */
const dnsmasq = { address: '127.0.0.69', port: 69 };
const hpa = { address: '127.0.0.1', port: 16_969 };

async function open() {
  const field = await openField();
  const { folder, start } = field;
  try {
    if (process.getuid?.() !== 0) throw new Error('the tftp bench needs root: tftpd-hpa and dnsmasq do');
    const file = await field.file('boot.efi', fileBytes);
    const generate = await field.generator('tftp');
    const load = (address: string, port: number, window: number, clients: number, transfers: number) =>
      generate(address, port, 'boot.efi', file, blockSize, window, clients, transfers);
    start('in.tftpd', ['-L', '-4', '-a', `${hpa.address}:${hpa.port}`, '-s', folder]);
    const peer = start('dnsmasq', [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--pid-file='],
      ...['--bind-interfaces', `--listen-address=${dnsmasq.address}`, '--log-facility=/dev/null'],
      ...['--enable-tftp', `--tftp-root=${folder}`, '--tftp-max=2000'],
    ]);
    const { tftp, program } = await field.startBoots({ BOOTS_IPXE_DIR: folder });
    for (const { address, port } of [hpa, dnsmasq, { address: '127.0.0.1', port: tftp }]) {
      await untilServed(() => load(address, port, 1, 1, 1));
    }
    return { close: field.close, load, tftp, peer, program };
  } catch (error) {
    await field.close();
    throw error;
  }
}

type Contest = Readonly<Record<'hpa' | 'dnsmasq' | 'plain' | 'windows', Run>>;

function figures(clients: number, transfers: number, contests: readonly Contest[]): readonly Figure[] {
  const troubles = (who: keyof Contest) => {
    const sum = (what: 'failed' | 'wrong' | 'retransmitted') =>
      contests.reduce((total, { [who]: run }) => total + (run[what] ?? 0), 0);
    return `${who} ${sum('failed') + sum('wrong')} failed ${sum('retransmitted')} retransmitted`;
  };
  const busiest = Math.max(
    ...contests.flatMap((contest) => Object.values(contest).map((r) => r.cpuSeconds / r.seconds)),
  );
  const better = ({ hpa: one, dnsmasq: other }: Contest) => Math.max(megabytes(one), megabytes(other));
  const compared = (who: 'plain' | 'windows', name: string): Figure => {
    const pairs = contests.map((contest) => ({ ours: megabytes(contest[who]), limit: better(contest) }));
    const made = pairedFigure(`tftp ${clients} ${name}`, pairs, 'MB/s');
    const counts = [who, 'hpa', 'dnsmasq'].map((peer) => troubles(peer as keyof Contest)).join(', ');
    return {
      ...made,
      note: `${made.note}; ${transfers * Math.ceil(fileBytes / blockSize)} blocks a run; ${counts}; load generator ${Math.round(busiest * 100)} % of a core at most`,
    };
  };
  const cost = ({ serverSeconds = Number.NaN, bytes }: Run) => (serverSeconds / (bytes / blockSize)) * 1e6;
  const costs = (who: 'plain' | 'windows') =>
    contests.map((contest) => ({ ours: cost(contest[who]), limit: cost(contest.dnsmasq) }));
  return [
    compared('plain', 'blocks'),
    compared('windows', `windows of ${windowSize}`),
    pairedFigure(`tftp ${clients} blocks CPU`, costs('plain'), 'µs/block'),
    pairedFigure(`tftp ${clients} windows CPU`, costs('windows'), 'µs/block'),
  ];
}

export const tftp: Bench = {
  name: 'tftp',
  about: `1 MiB to 1, 50 and 500 clients in blocks of ${blockSize}, against the better of tftpd-hpa and dnsmasq`,
  async run(progress) {
    const { load, close, tftp: port, peer, program } = await open();
    try {
      const all: Figure[] = [];
      for (const { clients, transfers } of loads) {
        const contests: Contest[] = [];
        for (let round = 0; round <= rounds; round++) {
          const contest = await inTurns(round, {
            hpa: () => load(hpa.address, hpa.port, 1, clients, transfers),
            dnsmasq: () => measured(peer, () => load(dnsmasq.address, dnsmasq.port, 1, clients, transfers)),
            plain: () => measured(program, () => load('127.0.0.1', port, 1, clients, transfers)),
            windows: () => measured(program, () => load('127.0.0.1', port, windowSize, clients, transfers)),
          });
          // The first warms up and does not count.
          if (round > 0) contests.push(contest);
          const speeds = Object.entries(contest).map(([who, run]) => `${who} ${megabytes(run).toFixed(0)}`);
          progress(`${clients} clients, round ${round}: ${speeds.join(', ')} MB/s`);
        }
        all.push(...figures(clients, transfers, contests));
      }
      return all;
    } finally {
      await close();
    }
  },
};
