import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bench, figure, pairedFigure, spread } from './bench';
import { startWithLog, wholeStories } from './sample-log';

const events = Number(process.env['BENCH_EVENTS'] ?? 1_000_000);
const rounds = 3;

const modes = ['raw', 'ours', 'past'] as const;
type Mode = (typeof modes)[number];

interface Run {
  readonly events: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly megabytes: number;
}

const rate = ({ events: read, seconds }: Run) => read / seconds;

async function child(...args: readonly string[]): Promise<Run> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, 'replay.child.js'), ...args]);
  return JSON.parse(stdout) as Run;
}

/**
 * A rebuild of five projections from an empty file, without and with the past of their rows (tink-server keeps it, the others do not),
 * against reading the log and parsing it.
 */
export const replay: Bench = {
  name: 'replay',
  about: `read models of ${events} events into SQLite, from nothing, against an ordered consumer and JSON.parse`,
  async run(progress) {
    const nats = await startWithLog(wholeStories(events), progress);
    const dir = mkdtempSync(join(tmpdir(), 'tink-bench-'));
    try {
      const runs: Readonly<Record<Mode, Run>>[] = [];
      let fileBytes = 0;
      for (let round = 0; round < rounds; round++) {
        const took = {} as Record<Mode, Run>;
        // Each of them first in turn.
        for (const mode of [...modes.slice(round % modes.length), ...modes.slice(0, round % modes.length)]) {
          const file = join(dir, `${round}-${mode}.db`);
          took[mode] = await child(mode, nats.url, file);
          if (mode === 'ours') fileBytes = statSync(file).size;
          rmSync(file, { force: true });
          progress(
            `round ${round}: ${mode} ${took[mode].seconds.toFixed(1)} s, CPU ${took[mode].cpuSeconds.toFixed(1)} s, ${took[mode].megabytes.toFixed(0)} MB`,
          );
        }
        runs.push(took);
      }
      const rates = (mode: Mode) => runs.map((took) => ({ ours: rate(took[mode]), limit: rate(took.raw) }));
      const memory = runs.flatMap(({ ours, past }) => [ours.megabytes, past.megabytes]);
      return [
        pairedFigure('replay', rates('ours'), 'events/s'),
        pairedFigure('replay, with the past', rates('past'), 'events/s'),
        figure(
          'replay memory',
          Math.max(...memory),
          400,
          'MB RSS',
          `${spread(memory)}; limit is the bar; the file is ${(fileBytes / 2 ** 20).toFixed(0)} MiB`,
        ),
      ];
    } finally {
      rmSync(dir, { recursive: true, force: true });
      await nats.stop();
    }
  },
};
