// A process of its own for projector.int.spec.ts, to be killed while it builds: build-rows <file> [rebuild]
import { InMemoryEventStore } from '../in-memory';
import { openReadModels } from '../projector';
import { fillLog, sampleRows } from './sample-rows';

/** Every hundredth event takes some milliseconds, so that there is a middle to be killed in. */
const slowRows: typeof sampleRows = {
  ...sampleRows,
  evolve(row, recorded) {
    if (recorded.position % 100 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    return sampleRows.evolve(row, recorded);
  },
};

async function main(file: string, rebuild: boolean): Promise<void> {
  const store = new InMemoryEventStore({ now: () => new Date(0) });
  await fillLog(store, { commits: rebuild ? 20_000 : 30_000, streams: 37, name: (i) => `n${i}` });
  process.stdout.write('building\n');
  const read = await openReadModels({ store, file, projections: { rows: slowRows } });
  if (rebuild) read.rebuild();
  while (read.status()[0]?.building) await new Promise((resolve) => setImmediate(resolve));
  process.stdout.write('built\n');
  await read.close();
}

void main(process.argv[2] ?? '', process.argv[3] === 'rebuild');
