import { ConflictError } from '@tinkerbell/domain';
import { type Delivery, durableName, type PublishedStream } from '@tinkerbell/messaging';
import type { SubscriptionRow } from '@tinkerbell/projections';
import { type CloudEvent, fromCeHeaders } from '@tinkerbell/public-events';
import { Turns } from '../commands/turns';
import { isWanted } from './is-wanted';
import { ReadAhead } from './read-ahead';

interface Held {
  readonly delivery: Delivery;
  readonly event: CloudEvent;
}

export interface NextOptions {
  /** `id` of an event that was handed out last: it is done, with those before it. Without, all are handed out again. */
  readonly ack?: string | undefined;
  /** So many events, at most; default 1. Nothing is waited for but the first. */
  readonly max?: number | undefined;
  /** How long to wait for an event, milliseconds. */
  readonly waitMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

const holdMs = 4_000;
const idleMs = 60_000;
/** For what is known to be in the stream already. */
const aheadMs = 2_000;
/** For the next one of those that are done. */
const stepMs = 5_000;

/** Hands out the events of subscriptions without a webhook, in order; the position is the server's and moves with `ack`. */
export class SubscriptionFeed {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly stream: PublishedStream) {}

  /** None: none came in time. Throws ConflictError for a subscription with a webhook, BusUnavailableError. */
  async next(row: SubscriptionRow, options: NextOptions): Promise<readonly CloudEvent[]> {
    if (row.webhook) throw new ConflictError(`events of ${row.name} go to its webhook`, 'webhook');
    const durable = durableName(row.name, row.incarnation);
    const session = this.sessions.get(durable) ?? this.open(durable, row);
    return session.next(row.filters, options);
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions.values()].map((session) => session.close()));
  }

  private open(durable: string, row: SubscriptionRow): Session {
    const session = new Session(this.stream, durable, row.from, () => this.sessions.delete(durable));
    this.sessions.set(durable, session);
    return session;
  }
}

/** One reader's way through one durable consumer. Closed when nobody asks for a minute. */
class Session {
  private readonly stop = new AbortController();
  private readonly turns = new Turns();
  private readonly deliveries: AsyncGenerator<Delivery>;
  private coming: Promise<IteratorResult<Delivery, void>> | undefined;
  private held: Held | undefined;
  /** Ids of what was handed out last, in order. */
  private given: readonly string[] = [];
  private ahead: { readonly filters: string; readonly reading: ReadAhead } | undefined;
  /** What the server gave us and has not been told to be done, handed out or not. */
  private latest: Delivery | undefined;
  private waiting = 0;
  private idle: NodeJS.Timeout | undefined;
  private readonly holding: NodeJS.Timeout;

  constructor(
    private readonly stream: PublishedStream,
    private readonly durable: string,
    private readonly from: SubscriptionRow['from'],
    private readonly onClose: () => void,
  ) {
    this.deliveries = stream.deliveries(durable, this.stop.signal);
    this.holding = setInterval(() => this.latest?.hold(), holdMs);
  }

  async next(filters: SubscriptionRow['filters'], options: NextOptions): Promise<readonly CloudEvent[]> {
    this.waiting++;
    clearTimeout(this.idle);
    try {
      return await this.turns.run(() => this.take(JSON.stringify(filters), options));
    } finally {
      this.waiting--;
      if (this.waiting === 0 && !this.stop.signal.aborted)
        this.idle = setTimeout(() => void this.close(), idleMs).unref();
    }
  }

  /** What is handed out and not done comes again to the next reader at once. */
  async close(): Promise<void> {
    this.onClose();
    clearTimeout(this.idle);
    clearInterval(this.holding);
    this.stop.abort();
    await this.ahead?.reading.close();
    await this.coming?.catch(() => undefined);
    this.latest?.release();
    await this.deliveries.return(undefined).catch(() => undefined);
  }

  private async take(filters: string, { ack, max = 1, waitMs, signal }: NextOptions): Promise<readonly CloudEvent[]> {
    if (ack !== undefined) await this.doneUpTo(ack);
    const first = await this.first({ ack, waitMs, signal });
    if (!first) return [];
    const more = max > 1 ? await this.more(first.delivery, filters, max - 1) : [];
    const events = [first.event, ...more];
    this.given = events.map(({ id }) => id);
    return events;
  }

  /** One after the other, because the consumer hands out no other way; stops at one that nobody was given. */
  private async doneUpTo(ack: string): Promise<void> {
    const wanted = new Set(this.given.slice(0, this.given.indexOf(ack) + 1));
    while (this.held && (wanted.delete(this.held.event.id) || !isWanted(this.held.event, this.from))) {
      await this.done(this.held);
      if (wanted.size === 0) return;
      const delivery = await this.within(stepMs, this.stop.signal);
      if (delivery) this.held = heldOf(delivery);
    }
  }

  /** What follows, as far as it is there. */
  private async more({ sequence, pending }: Delivery, filters: string, count: number): Promise<readonly CloudEvent[]> {
    if (this.ahead && this.ahead.filters !== filters) {
      await this.ahead.reading.close();
      this.ahead = undefined;
    }
    if (pending === 0) return [];
    this.ahead ??= { filters, reading: new ReadAhead(this.stream, this.durable, sequence) };
    const found = await this.ahead.reading.after(sequence, Math.min(count, pending), aheadMs);
    return found
      .map(({ event }) => event)
      .filter((event) => isWanted(event, this.from))
      .slice(0, count);
  }

  private async first({ ack, waitMs, signal }: NextOptions): Promise<Held | undefined> {
    if (this.held) return this.held;
    const deadline = Date.now() + waitMs;
    while (!signal.aborted && !this.stop.signal.aborted) {
      const delivery = await this.within(Math.max(deadline - Date.now(), 0), signal);
      if (!delivery) return undefined;
      this.held = heldOf(delivery);
      const { event } = this.held;
      // Its acknowledgement may come to another process, or later, than where it was handed out.
      if (!isWanted(event, this.from) || event.id === ack) await this.done(this.held);
      else return this.held;
    }
    return undefined;
  }

  private async done({ delivery }: Held): Promise<void> {
    await delivery.acknowledge();
    this.held = undefined;
    this.latest = undefined;
  }

  private async within(milliseconds: number, signal: AbortSignal): Promise<Delivery | undefined> {
    this.coming ??= this.deliveries.next().then((result) => {
      if (!result.done) this.latest = result.value;
      return result;
    });
    let end: () => void = () => undefined;
    const late = new Promise<undefined>((resolve) => {
      const timer = setTimeout(resolve, milliseconds, undefined);
      const gone = () => resolve(undefined);
      signal.addEventListener('abort', gone);
      end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
      };
    });
    try {
      const result = await Promise.race([this.coming, late]);
      if (!result) return undefined;
      this.coming = undefined;
      return result.done ? undefined : result.value;
    } finally {
      end();
    }
  }
}

function heldOf(delivery: Delivery): Held {
  return { delivery, event: fromCeHeaders((header) => delivery.header(header), delivery.text()) };
}
