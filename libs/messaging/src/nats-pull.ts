import type { Consumer, JsMsg, NatsConnection } from 'nats';
import { keepReading, type Reading, type ReadingOptions } from './nats-reading';

export interface PullOptions extends ReadingOptions {
  /** Opens (or finds) the consumer; `after` is the sequence of the last message that was handed out. */
  readonly open: (after: number) => Promise<Consumer>;
  readonly after?: number;
  /** Every message once, in order: on any doubt the consumer is opened anew after the last one. */
  readonly ordered: boolean;
  readonly batch: number;
}

const expiresMs = 5000;

/**
 * Messages of a JetStream consumer across reconnections and restarts of the server, until aborted or the connection is closed for good.
 * Takes a batch at a time, so a slow reader holds the server back and not our memory.
 */
export async function* pullMessages(connection: NatsConnection, options: PullOptions): AsyncGenerator<JsMsg> {
  let last = options.after ?? 0;
  const open = async () => {
    const reading = await consume(await options.open(last), options.batch);
    return options.ordered ? inOrder(reading, last) : reading;
  };
  for await (const message of keepReading(connection, open, options)) {
    last = message.seq;
    yield message;
  }
}

/** One long consume() and not many fetch(): the client keeps a listener for each of them for ever. */
async function consume(consumer: Consumer, batch: number): Promise<Reading<JsMsg>> {
  const messages = await consumer.consume({
    max_messages: batch,
    expires: expiresMs,
    idle_heartbeat: expiresMs / 2,
    abort_on_missing_resource: true,
  });
  return {
    // Never awaited: the client's close() resolves only while somebody iterates.
    stop: () => void messages.close(),
    [Symbol.asyncIterator]: () => messages[Symbol.asyncIterator](),
  };
}

/** Ends where a message was lost on its way to us, and leaves out what was handed out before. */
function inOrder(reading: Reading<JsMsg>, after: number): Reading<JsMsg> {
  return {
    stop: () => reading.stop(),
    async *[Symbol.asyncIterator]() {
      let delivered = 0;
      for await (const message of reading) {
        if (message.info.deliverySequence !== ++delivered) return;
        if (message.seq > after) yield message;
      }
    },
  };
}
