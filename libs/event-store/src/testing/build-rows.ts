// A process of its own for projector.int.spec.ts, to be killed while it builds: build-rows <file>
import { InMemoryEventStore } from '../in-memory';
import { openReadModels } from '../projector';
import { fillLog, sampleRows } from './sample-rows';

async function main(file: string): Promise<void> {
  const store = new InMemoryEventStore({ now: () => new Date(0) });
  await fillLog(store, { commits: 20_000, streams: 37, name: (i) => `n${i}` });
  process.stdout.write('building\n');
  const { close } = await openReadModels({ store, file, projections: { rows: sampleRows } });
  process.stdout.write('built\n');
  await close();
}

void main(process.argv[2] ?? '');
