import { ConflictError } from '@tinkerbell/domain';
import { type Delivery, durableName, type PublishedStream } from '@tinkerbell/messaging';
import type { SubscriptionRow } from '@tinkerbell/projections';
import { type CloudEvent, fromCeHeaders } from '@tinkerbell/public-events';
import { Turns } from '../commands/turns';
import { isWanted } from './is-wanted';

interface Held {
  readonly delivery: Delivery;
  readonly event: CloudEvent;
}

export interface NextOptions {
  /** `id` of the event that was handed out last: it is done. Without, that one is handed out again. */
  readonly ack?: string | undefined;
  /** How long to wait for an event, milliseconds. */
  readonly waitMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

const holdMs = 4_000;
const idleMs = 60_000;

/** Hands out the events of subscriptions without a webhook, one at a time; the position is the server's and moves with `ack`. */
export class SubscriptionFeed {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly stream: PublishedStream) {}

  /** undefined: none came in time. Throws ConflictError for a subscription with a webhook, BusUnavailableError. */
  async next(row: SubscriptionRow, options: NextOptions): Promise<CloudEvent | undefined> {
    if (row.webhook) throw new ConflictError(`events of ${row.name} go to its webhook`, 'webhook');
    const durable = durableName(row.name, row.incarnation);
    const session = this.sessions.get(durable) ?? this.open(durable, row);
    return session.next(options);
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
  /** What the server gave us and has not been told to be done, handed out or not. */
  private latest: Delivery | undefined;
  private waiting = 0;
  private idle: NodeJS.Timeout | undefined;
  private readonly holding: NodeJS.Timeout;

  constructor(
    stream: PublishedStream,
    durable: string,
    private readonly from: SubscriptionRow['from'],
    private readonly onClose: () => void,
  ) {
    this.deliveries = stream.deliveries(durable, this.stop.signal);
    this.holding = setInterval(() => this.latest?.hold(), holdMs);
  }

  async next(options: NextOptions): Promise<CloudEvent | undefined> {
    this.waiting++;
    clearTimeout(this.idle);
    try {
      return await this.turns.run(() => this.take(options));
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
    await this.coming?.catch(() => undefined);
    this.latest?.release();
    await this.deliveries.return(undefined).catch(() => undefined);
  }

  private async take({ ack, waitMs, signal }: NextOptions): Promise<CloudEvent | undefined> {
    if (ack !== undefined && this.held?.event.id === ack) await this.done(this.held);
    if (this.held) return this.held.event;
    const deadline = Date.now() + waitMs;
    while (!signal.aborted && !this.stop.signal.aborted) {
      const delivery = await this.within(Math.max(deadline - Date.now(), 0), signal);
      if (!delivery) return undefined;
      const event = fromCeHeaders((header) => delivery.header(header), delivery.text());
      this.held = { delivery, event };
      // Its acknowledgement may come to another process, or later, than where it was handed out.
      if (!isWanted(event, this.from) || event.id === ack) await this.done(this.held);
      else return event;
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
