import type { Aggregate, Event } from '@tinkerbell/events';
import { type EventStore, IntegrityError, type Kept, parseCommit } from '@tinkerbell/event-store';
import { parseStream } from '@tinkerbell/messaging';
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

/** Oldest first; ends with the commit that was the last when it began. A commit that cannot be read is told as such, not left out. */
export async function* readAuditLog(
  store: EventStore,
  query: AuditLogQuery,
  signal: AbortSignal,
): AsyncGenerator<AuditRow> {
  const { limit = Infinity, after } = query;
  let count = 0;
  if (limit === 0) return;
  for await (const message of readUpTo(store, await store.lastPosition(), signal, after)) {
    const row = rowOf(message);
    if (!matches(row, query)) continue;
    yield row;
    if (++count >= limit) return;
  }
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
