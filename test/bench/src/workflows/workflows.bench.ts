import { type Bench, type Figure, figure, median, pairedFigure, quantile, spread } from '../bench';
import type { Shift, ShiftResult } from './crew.child';
import { machineCount } from './machines';
import { RawCommits } from './raw-commits';
import { openSite, type Site } from './site';

const few = 1_000;
const many = Number(process.env['BENCH_WORKFLOWS'] ?? 100_000);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
/** Of each measurement; a quarter more end before it. */
const counted = Number(process.env['BENCH_COUNTED'] ?? 1_000);

const shift = { warmUp: counted / 4, workflows: counted };

/** One shift of the workers and what each process spent on it. */
interface Measured extends ShiftResult {
  readonly commits: number;
  readonly cpu: ReturnType<Site['cpu']>;
}

interface Place {
  readonly site: Site;
  readonly raw: RawCommits;
}

async function measure({ site, raw }: Place, order: Shift): Promise<Measured> {
  const marks: { readonly cpu: ReturnType<Site['cpu']>; readonly position: number }[] = [];
  const mark = async () => void marks.push({ cpu: site.cpu(), position: await raw.position() });
  const result = await site.crew.work(order, mark, mark);
  const [from, to] = marks;
  if (!from || !to) throw new Error('the shift was not measured');
  await raw.sample(to.position);
  const spent = (who: keyof typeof from.cpu) => to.cpu[who] - from.cpu[who];
  const cpu = { nats: spent('nats'), tink: spent('tink'), crew: spent('crew') };
  return { ...result, commits: to.position - from.position, cpu };
}

const rateOf = ({ finished, seconds: took }: Measured) => finished / took;
const cpuText = ({ cpu, seconds: took, finished }: Measured) =>
  Object.entries(cpu)
    .map(
      ([who, used]) => `${who} ${((100 * used) / took).toFixed(0)} %, ${((1000 * used) / finished).toFixed(1)} ms each`,
    )
    .join('; ');
/** Milliseconds of CPU for one workflow: what provisions, not what pretends to be machines. */
const costOf = ({ cpu, finished }: Measured) => (1000 * (cpu.nats + cpu.tink)) / finished;

interface Round {
  readonly full: Measured;
  /** Workflows a second that the same commits alone would allow. */
  readonly alone: number;
  readonly half: Measured;
  readonly pairs: readonly number[];
}

async function takeRound(place: Place, rate: number | undefined, say: (text: string) => void): Promise<Round> {
  const full = await measure(place, { rate: null, ...shift });
  const alone = full.finished / (await place.raw.write(full.commits));
  say(`full: ${rateOf(full).toFixed(1)} workflows/s, commits alone ${alone.toFixed(1)}; CPU: ${cpuText(full)}`);
  const paced = rate ?? rateOf(full) / 2;
  const half = await measure(place, { rate: paced, ...shift });
  const pairs = await place.raw.pairs((paced * full.commits) / full.finished / 2, 3);
  const [middle, late] = [0.5, 0.99].map((q) => quantile(half.nextMs, q).toFixed(1));
  say(
    `half: ${rateOf(half).toFixed(1)} workflows/s, next action after ${middle} ms, p99 ${late} ms, ${half.missed} missed; ` +
      `CPU: ${cpuText(half)}, ${costOf(half).toFixed(2)} ms a workflow`,
  );
  return { full, alone, half, pairs };
}

async function openPlace(stored: number, progress: (text: string) => void): Promise<Place> {
  const site = await openSite(stored, progress);
  return { site, raw: await RawCommits.open(site) };
}

async function closePlace({ site, raw }: Place): Promise<void> {
  await raw.close();
  await site.stop();
}

function figures(small: readonly Round[], large: readonly Round[]): readonly Figure[] {
  const speed = (rows: readonly Round[]) => rows.map(({ full, alone }) => ({ ours: rateOf(full), limit: alone }));
  const next = (q: number) =>
    small.map(({ half, pairs }) => ({ ours: quantile(half.nextMs, q), limit: quantile(pairs, q) }));
  const flat = (of: (round: Round) => number) =>
    large.map((round, i) => ({ ours: of(round), limit: of(small[i] ?? round) }));
  const share = (who: 'nats' | 'tink' | 'crew') => spread(small.map(({ full }) => full.cpu[who] / full.seconds));
  return [
    pairedFigure(`workflows, ${few} stored`, speed(small), 'workflows/s'),
    ...(large.length === 0 ? [] : [pairedFigure(`workflows, ${many} stored`, speed(large), 'workflows/s')]),
    ...[0.5, 0.99].map((q) => pairedFigure(`workflows next p${q * 100}`, next(q), 'ms')),
    ...(large.length === 0
      ? []
      : [
          pairedFigure(
            `workflows CPU, ${many}:${few}`,
            flat(({ half }) => costOf(half)),
            'ms',
          ),
          pairedFigure(
            `workflows next p50, ${many}:${few}`,
            flat(({ half }) => median(half.nextMs)),
            'ms',
          ),
        ]),
    ...(['tink', 'nats', 'crew'] as const).map((who) =>
      figure(
        `workflows cores, ${who}`,
        median(small.map(({ full }) => full.cpu[who] / full.seconds)),
        2,
        'cores',
        share(who),
      ),
    ),
  ];
}

/** Two sites by turns, one with few workflows behind it and one with many. The simulated workers share the cores with what they measure. */
export const workflows: Bench = {
  name: 'workflows',
  about: `workflows of ten actions on ${machineCount} simulated workers, durable, with ${few} and ${many} stored, against their commits alone`,
  async run(progress) {
    const places: Place[] = [];
    const taken: Round[][] = [];
    try {
      places.push(await openPlace(few, progress));
      if (many > few) places.push(await openPlace(many, progress));
      let rate: number | undefined;
      for (let round = 0; round < rounds; round++) {
        for (const [i, place] of places.entries()) {
          const done = await takeRound(place, rate, (text) => progress(`${place.site.stored} stored, ${text}`));
          rate ??= rateOf(done.full) / 2;
          (taken[i] ??= []).push(done);
        }
      }
      return figures(taken[0] ?? [], taken[1] ?? []);
    } finally {
      for (const place of places) await closePlace(place);
    }
  },
};
