import { aggregates, type Aggregate, type Recorded } from '@tinkerbell/events';
import { type EventStore, StoreUnavailableError } from '@tinkerbell/event-store';
import { isSubjectToken, subjects } from '@tinkerbell/messaging';

export interface FeedOptions {
  /** Only facts after this position of the log. */
  readonly after: number;
  /** Only facts stored at or after this time, milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly aggregate?: Aggregate | undefined;
  readonly id?: string | undefined;
  /** Event type, e.g. `ActionStarted`. */
  readonly type?: string | undefined;
  readonly limit?: number | undefined;
  /** Goes on with new facts until the signal aborts; else ends with the last one that was stored when it began. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export { aggregates };

/** Facts of the log, oldest first. */
export async function* readFeed(store: EventStore, options: FeedOptions): AsyncGenerator<Recorded> {
  const { limit = Infinity, since } = options;
  if (limit === 0) return;
  let count = 0;
  for await (const recorded of source(store, options)) {
    if (!matches(recorded, options) || (since !== undefined && Date.parse(recorded.at) < since)) continue;
    yield recorded;
    if (++count >= limit) return;
  }
}

async function* source(store: EventStore, options: FeedOptions): AsyncGenerator<Recorded> {
  const { after, aggregate, id, follow, signal } = options;
  if (!follow && aggregate && id !== undefined) {
    if (!isSubjectToken(id)) return;
    const { events } = await store.read(subjects.stream(aggregate, id));
    yield* events.filter(({ position }) => position > after);
    return;
  }
  const last = follow ? Infinity : await store.lastPosition();
  if (last <= after) return;
  // A bounded reading has to see the last commit to know that it is done, so it filters here and not in the store.
  const filters = follow && aggregate ? { filters: [subjects.eventsOf(aggregate)] } : {};
  // Leaving this loop early ends the subscription as well.
  for await (const commit of store.subscribe({ after, signal, ...filters })) {
    if (commit.position <= last) yield* commit.events;
    if (commit.position >= last) return;
  }
  // Else a part would pass for the whole.
  if (!follow && !signal.aborted) throw new StoreUnavailableError('the log was closed while it was read');
}

function matches({ aggregate, aggregateId, event }: Recorded, options: FeedOptions): boolean {
  return (
    (options.aggregate === undefined || aggregate === options.aggregate) &&
    (options.id === undefined || aggregateId === options.id) &&
    (options.type === undefined || event.type === options.type)
  );
}
