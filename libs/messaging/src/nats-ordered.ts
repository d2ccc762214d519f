import type { Msg, NatsConnection, Subscription } from 'nats';
import { keepReading, type Reading, type ReadingOptions } from './nats-reading';

export interface OrderedOptions extends Pick<ReadingOptions, 'signal' | 'onTrouble'> {
  readonly stream: string;
  /** Makes a pull consumer without acknowledgements that begins after this sequence; resolves with its name. */
  readonly open: (after: number) => Promise<string>;
  /** Sequence of the last message that is known; 0 = from the start. */
  readonly after: number;
  /** Messages that are under way or wait for the reader, at most. */
  readonly batch: number;
}

export interface OrderedMessage {
  readonly sequence: number;
  /** When the server stored it: nanoseconds since 1970, as text because a number would round them. */
  readonly nanoseconds: string;
  readonly message: Msg;
}

const expiresMs = 5000;
const heartbeatMs = expiresMs / 2;

/**
 * Messages of a stream from one place on, every one once and in order, as they come from the socket, across reconnections and restarts of
 * the server, until aborted or the connection is closed for good. On any doubt the consumer is opened anew after the last message. Asks
 * for no more than the reader takes, so a slow reader holds the server back and not our memory. The client's own ordered consumer does
 * the same one message at a time, and takes a third longer for each.
 */
export async function* readOrdered(
  connection: NatsConnection,
  options: OrderedOptions,
): AsyncGenerator<readonly OrderedMessage[]> {
  const { createInbox } = await import('nats');
  let last = options.after;
  const open = async () => {
    const consumer = await options.open(last);
    return new ConsumerReading(connection, { ...options, consumer, after: last, inbox: createInbox() });
  };
  for await (const messages of keepReading(connection, open, options)) {
    last = messages.at(-1)?.sequence ?? last;
    yield messages;
  }
}

interface Source {
  readonly stream: string;
  readonly consumer: string;
  readonly batch: number;
  readonly after: number;
  readonly inbox: string;
}

/** One consumer, until it ends, is stopped, or misses a message. */
class ConsumerReading implements Reading<readonly OrderedMessage[]> {
  readonly #subscription: Subscription;
  readonly #watch: NodeJS.Timeout;
  #queue: OrderedMessage[] = [];
  /** Asked for and not delivered. */
  #awaited = 0;
  #delivered = 0;
  #last: number;
  #missedHeartbeats = 0;
  #stopped = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly source: Source,
  ) {
    this.#last = source.after;
    this.#subscription = connection.subscribe(this.source.inbox, {
      callback: (error, message) => (error ? this.stop(error) : this.#take(message)),
    });
    this.#watch = setInterval(() => this.#expectHeartbeat(), heartbeatMs);
    this.#ask();
  }

  stop(failure?: Error): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#failure = failure;
    clearInterval(this.#watch);
    if (!this.connection.isClosed()) this.#subscription.unsubscribe();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly OrderedMessage[]> {
    for (;;) {
      if (this.#queue.length > 0) {
        const messages = this.#queue;
        this.#queue = [];
        yield messages;
        this.#ask();
      } else if (this.#failure) throw this.#failure;
      else if (this.#stopped) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #take(message: Msg): void {
    if (this.#stopped) return;
    this.#missedHeartbeats = 0;
    // A message comes under its own subject, what the server has to say under ours.
    if (message.subject === this.source.inbox) return this.#hear(message);
    const { sequence, delivery, nanoseconds } = placeOf(message.reply ?? '');
    // One was lost on its way to us.
    if (delivery !== ++this.#delivered) return this.stop();
    this.#awaited--;
    if (sequence > this.#last) {
      this.#last = sequence;
      this.#queue.push({ sequence, nanoseconds, message });
      this.#wake();
    }
    this.#ask();
  }

  #hear({ headers }: Msg): void {
    if (!headers || headers.code === 100) return; // a heartbeat
    const left = headers.get('Nats-Pending-Messages');
    if (headers.code === 408 && left !== '') {
      this.#awaited -= Number(left);
      return this.#ask();
    }
    this.stop(new Error(`${headers.code} ${headers.description}`));
  }

  /** The next messages, well before the last ones are read. */
  #ask(): void {
    const free = this.source.batch - this.#awaited - this.#queue.length;
    if (this.#stopped || free < this.source.batch / 2) return;
    this.#awaited += free;
    const request = { batch: free, expires: expiresMs * 1e6, idle_heartbeat: heartbeatMs * 1e6 };
    const { stream, consumer } = this.source;
    try {
      this.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(request), {
        reply: this.source.inbox,
      });
    } catch (error) {
      this.stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #expectHeartbeat(): void {
    if (this.#awaited > 0 && ++this.#missedHeartbeats > 2) this.stop(new Error('the server sends no heartbeats'));
  }
}

/**
 * From the reply subject of a delivered message,
 * `$JS.ACK[.<domain>.<account>].<stream>.<consumer>.<delivered>.<sequence>.<delivery>.<nanoseconds>.<pending>[.<random>]`.
 */
export function placeOf(reply: string): {
  readonly sequence: number;
  readonly delivery: number;
  readonly nanoseconds: string;
} {
  const tokens = reply.split('.');
  const first = tokens.length === 9 ? 5 : 7;
  return {
    sequence: Number(tokens[first]),
    delivery: Number(tokens[first + 1]),
    nanoseconds: tokens[first + 2] ?? '',
  };
}
