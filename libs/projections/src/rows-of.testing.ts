import type { Event, Recorded } from '@tinkerbell/events';
import type { Projection } from './projection';

/** What a projection has after `events`, by key. */
export function rowsOf<E extends Event, Row>(
  { key, evolve }: Projection<E, Row>,
  events: readonly Recorded<E>[],
  from: ReadonlyMap<string, Row> = new Map(),
): ReadonlyMap<string, Row> {
  const rows = new Map(from);
  for (const event of events) {
    const at = key(event);
    if (at === undefined) continue;
    const row = evolve(rows.get(at), event);
    if (row === undefined) rows.delete(at);
    else rows.set(at, row);
  }
  return rows;
}
