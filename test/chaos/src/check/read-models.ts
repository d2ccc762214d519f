import type { EventStore } from '@tinkerbell/event-store';
import { openTinkReadModels, type TinkReadModels } from '@tinkerbell/tink-server';
import { fault, type Violation } from './violations';

/** Compares the rows of each tink-server's file with those of a fresh replay of the log. */
export async function compareReadModels(store: EventStore, files: readonly string[]): Promise<readonly Violation[]> {
  const fresh = await openTinkReadModels(store, ':memory:');
  const violations: Violation[] = [];
  for (const file of files) {
    const kept = await openTinkReadModels(store, file);
    violations.push(...differences(file, kept, fresh));
    await kept.close();
  }
  await fresh.close();
  return violations;
}

function differences(file: string, kept: TinkReadModels, fresh: TinkReadModels): readonly Violation[] {
  return Object.entries(fresh.models).flatMap(([name, model]) => {
    const other = Object.entries(kept.models).find(([key]) => key === name)?.[1];
    const [expected, found] = [model.list({ limit: 1_000_000 }), other?.list({ limit: 1_000_000 }) ?? []];
    const at = expected.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(found[i]));
    if (at < 0 && expected.length === found.length) return [];
    const where =
      at < 0 ? `${found.length} rows instead of ${expected.length}` : JSON.stringify(found[at] ?? null).slice(0, 200);
    return [fault('projection differs', `${name} in ${file}: ${where}`)];
  });
}
