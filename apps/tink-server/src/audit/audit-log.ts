import { aggregates, catalogue, type Aggregate, type Event } from '@tinkerbell/events';
import { type EventStore, IntegrityError, type Kept, parseCommit } from '@tinkerbell/event-store';
import { isSubjectToken, parseStream, subjects } from '@tinkerbell/messaging';
import { readUpTo } from './audit-export';

/** Who did what: one commit of the log. */
export interface AuditRow {
  readonly position: number;
  /** ISO 8601. */
  readonly at: string;
  readonly actor: string;
  readonly aggregate: string;
  readonly id: string;
  /** Event types, in order. */
  readonly types: readonly string[];
  readonly commandId: string;
  readonly correlationId: string | null;
  readonly causationId: string | null;
}

export interface AuditLogQuery {
  /** Exactly this one, or with a colon at its end everybody whose name begins so: `user:`. */
  readonly actor?: string | undefined;
  readonly aggregate?: Aggregate | undefined;
  readonly id?: string | undefined;
  /** Commits that hold an event of this type. */
  readonly type?: string | undefined;
  /** Stored at or after, and before: milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly after: number;
  readonly limit?: number | undefined;
}

/** The log's clock may be set back: so much is read beyond the times that are asked for. */
const clockMarginMs = 600_000;

/**
 * Oldest first; ends with the commit that was the last when it began. A commit that cannot be read is told as such, not left out. Of the
 * log only that is read which may match: the streams, and what lies about the times.
 */
export async function* readAuditLog(
  store: EventStore,
  query: AuditLogQuery,
  signal: AbortSignal,
): AsyncGenerator<AuditRow> {
  const { limit = Infinity, since, until } = query;
  let count = 0;
  const filter = filterOf(query);
  if (limit === 0 || filter === 'nothing') return;
  const last = await store.lastPosition(filter);
  const begin = since === undefined ? 0 : await store.positionAt(since - clockMarginMs);
  const end = until === undefined ? last : await store.positionAt(until + clockMarginMs);
  const after = Math.max(query.after, begin);
  for await (const message of readUpTo(store, last, signal, { after, filter })) {
    if (message.position > end) return;
    const row = rowOf(message);
    if (!matches(row, query)) continue;
    yield row;
    if (++count >= limit) return;
  }
}

/** The subjects that can hold what is asked for; undefined: all of them. */
function filterOf({ aggregate, id, type }: AuditLogQuery): string | undefined {
  const owner = type === undefined ? undefined : aggregates.find((name) => Object.hasOwn(catalogue[name], type));
  // A type that this release does not know may be of any.
  const only = aggregate ?? owner;
  if (id !== undefined) return isSubjectToken(id) ? subjects.eventsWithId(id, only) : 'nothing';
  return only && subjects.eventsOf(only);
}

function rowOf(message: Kept): AuditRow {
  const { position, at, stream } = message;
  const { aggregate = '', id = '' } = parseStream(stream) ?? {};
  const place = { position, at, aggregate, id };
  try {
    const { metadata, events } = parseCommit(message);
    return {
      ...place,
      actor: metadata.actor,
      types: events.map(({ type }: Event) => type),
      commandId: metadata.id,
      correlationId: metadata.correlationId ?? null,
      causationId: metadata.causationId ?? null,
    };
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    const unknown = { actor: '', types: [], correlationId: null, causationId: null };
    return { ...place, ...unknown, commandId: message.id };
  }
}

function matches(row: AuditRow, { actor, aggregate, id, type, since, until }: AuditLogQuery): boolean {
  const at = Date.parse(row.at);
  return (
    (actor === undefined || (actor.endsWith(':') ? row.actor.startsWith(actor) : row.actor === actor)) &&
    (aggregate === undefined || row.aggregate === aggregate) &&
    (id === undefined || row.id === id) &&
    (type === undefined || row.types.includes(type)) &&
    (since === undefined || at >= since) &&
    (until === undefined || at < until)
  );
}
