import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bench, figure, pairedFigure, spread } from './bench';
import { startWithLog, wholeStories } from './sample-log';

const events = Number(process.env['BENCH_EVENTS'] ?? 1_000_000);
const rounds = 3;

interface Run {
  readonly events: number;
  readonly seconds: number;
  readonly megabytes: number;
}

async function child(...args: readonly string[]): Promise<Run> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, 'replay.child.js'), ...args]);
  return JSON.parse(stdout) as Run;
}

/** A rebuild of tink-server's five projections from an empty file, against reading the log and parsing it. */
export const replay: Bench = {
  name: 'replay',
  about: `read models of ${events} events into SQLite, from nothing, against an ordered consumer and JSON.parse`,
  async run(progress) {
    const nats = await startWithLog(wholeStories(events), progress);
    const dir = mkdtempSync(join(tmpdir(), 'tink-bench-'));
    try {
      const runs: { ours: Run; raw: Run }[] = [];
      let fileBytes = 0;
      for (let round = 0; round < rounds; round++) {
        const file = join(dir, `${round}.db`);
        const early = round % 2 === 0 ? await child('raw', nats.url) : undefined;
        const ours = await child('ours', nats.url, file);
        const raw = early ?? (await child('raw', nats.url));
        runs.push({ ours, raw });
        fileBytes = statSync(file).size;
        rmSync(file);
        progress(
          `round ${round}: ours ${ours.seconds.toFixed(1)} s, ${ours.megabytes.toFixed(0)} MB; raw ${raw.seconds.toFixed(1)} s`,
        );
      }
      const rate = ({ events: read, seconds }: Run) => read / seconds;
      const pairs = runs.map(({ ours, raw }) => ({ ours: rate(ours), limit: rate(raw) }));
      const memory = runs.map(({ ours }) => ours.megabytes);
      return [
        pairedFigure('replay', pairs, 'events/s'),
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
