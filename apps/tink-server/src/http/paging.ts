import type { ReadModel } from '@tinkerbell/event-store';
import { rowsOf } from '../read-side';
import type { Query } from './query';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** The `after` of the next page; absent on the last. */
  readonly next?: string;
}

/**
 * All items as an array, or with `?limit=` or `?after=` a page of them. `present` leaves a row out with undefined; `lookup` spares it
 * the rows that have none.
 */
export async function listOf<Row, Item>(
  model: ReadModel<Row>,
  keyOf: (row: Row) => string,
  query: Query,
  present: (row: Row) => Item | undefined,
  lookup?: string,
): Promise<readonly Item[] | Page<Item>> {
  const limit = query.whole('limit', 1, 10_000);
  const after = query.text('after');
  const items: Item[] = [];
  let last = '';
  for await (const row of rowsOf(model, keyOf, { after, lookup, chunk: Math.min((limit ?? 499) + 1, 500) })) {
    const item = present(row);
    if (item === undefined) continue;
    if (items.length === (limit ?? 1_000) && (limit ?? after) !== undefined) return { items, next: last };
    items.push(item);
    last = keyOf(row);
  }
  return limit === undefined && after === undefined ? items : { items };
}
