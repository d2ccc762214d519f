// A process of its own for projector.int.spec.ts, to be killed while it builds: build-rows <file> <hold> [rebuild]; it goes
// no further than the commit <hold>, so that it is killed in the middle, however late.
import { InMemoryEventStore } from '../in-memory';
import { openReadModels } from '../projector';
import { fillLog, sampleRows } from './sample-rows';

const wait = (milliseconds?: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/** Slow, so that a part is stored before it holds. */
const slowRows = (hold: number): typeof sampleRows => ({
  ...sampleRows,
  evolve(row, recorded) {
    if (recorded.position % 100 === 0) wait(10);
    if (recorded.position === hold) wait();
    return sampleRows.evolve(row, recorded);
  },
});

async function main(file: string, hold: number, rebuild: boolean): Promise<void> {
  const store = new InMemoryEventStore({ now: () => new Date(0) });
  await fillLog(store, { commits: rebuild ? 20_000 : 30_000, streams: 37, name: (i) => `n${i}` });
  process.stdout.write('building\n');
  const read = await openReadModels({ store, file, projections: { rows: slowRows(hold) } });
  if (rebuild) read.rebuild();
  while (read.status()[0]?.building) await new Promise((resolve) => setImmediate(resolve));
  process.stdout.write('built\n');
  await read.close();
}

void main(process.argv[2] ?? '', Number(process.argv[3]), process.argv[4] === 'rebuild');
