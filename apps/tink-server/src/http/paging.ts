import type { Entry, ListOptions, ReadModel, StoredRows } from '@tinkerbell/event-store';
import { inTurns, rowsOf, type From } from '../read-side';
import type { Query } from './query';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** The `after` of the next page; absent on the last. */
  readonly next?: string;
}

/** All items as an array, or with `?limit=` or `?after=` a page of them. `present` leaves a row out with undefined. */
export function listOf<Row, Item>(
  model: ReadModel<Row>,
  keyOf: (row: Row) => string,
  query: Query,
  present: (row: Row) => Item | undefined,
): Promise<readonly Item[] | Page<Item>> {
  return collect((from) => rowsOf(model, keyOf, from), keyOf, query, present);
}

/**
 * As `listOf`, but JSON, as bytes: of rows as they are stored, each of which `present` makes the JSON of an item, in pieces. What is long
 * is copied once, from its row into the bytes.
 */
export async function listBytes<Row>(
  model: StoredRows<Row>,
  query: Query,
  which: Omit<ListOptions, 'after' | 'limit'>,
  present: (entry: Entry<Row>) => readonly string[],
): Promise<Uint8Array> {
  const keyOf = ({ key }: Entry<Row>) => key;
  const fetch = (page: { readonly after: string; readonly limit: number }) => model.entries({ ...which, ...page });
  const found = await collect((from) => inTurns(fetch, keyOf, from), keyOf, query, present);
  const items = 'items' in found ? found.items : found;
  const pieces = items.flatMap((item, i) => (i === 0 ? item : [',', ...item]));
  if (!('items' in found)) return utf8(['[', ...pieces, ']']);
  const next = found.next === undefined ? '' : `,"next":${JSON.stringify(found.next)}`;
  return utf8(['{"items":[', ...pieces, `]${next}}`]);
}

function utf8(texts: readonly string[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of texts) at += bytes.write(text, at);
  return bytes;
}

async function collect<Row, Item>(
  rows: (from: From) => AsyncIterable<Row>,
  keyOf: (row: Row) => string,
  query: Query,
  present: (row: Row) => Item | undefined,
): Promise<readonly Item[] | Page<Item>> {
  const limit = query.whole('limit', 1, 10_000);
  const after = query.text('after');
  const items: Item[] = [];
  let last = '';
  for await (const row of rows({ after, chunk: Math.min((limit ?? 499) + 1, 500) })) {
    const item = present(row);
    if (item === undefined) continue;
    if (items.length === (limit ?? 1_000) && (limit ?? after) !== undefined) return { items, next: last };
    items.push(item);
    last = keyOf(row);
  }
  return limit === undefined && after === undefined ? items : { items };
}
