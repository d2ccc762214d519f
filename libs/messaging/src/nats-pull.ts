import type { Consumer, ConsumerMessages, JsMsg, NatsConnection } from 'nats';

export interface PullOptions {
  /** Opens (or finds) the consumer; `after` is the sequence of the last message that was handed out. */
  readonly open: (after: number) => Promise<Consumer>;
  readonly after?: number;
  /** Every message once, in order: on any doubt the consumer is opened anew after the last one. */
  readonly ordered: boolean;
  readonly batch: number;
  readonly signal?: AbortSignal;
  /** Called when reading has to be tried again, with the reason. */
  readonly onTrouble?: (reason: string) => void;
  /** An error of `open` that no other try will cure: it is thrown to the reader. */
  readonly isFinal?: (error: unknown) => boolean;
}

const expiresMs = 5000;
const slowestRetryMs = 2000;

export const retryPauseMs = (failures: number) => Math.min(50 * 2 ** failures, slowestRetryMs);

/**
 * Messages of a JetStream consumer across reconnections and restarts of the server, until aborted or the connection is closed for good.
 * Takes a batch at a time, so a slow reader holds the server back and not our memory.
 */
export async function* pullMessages(connection: NatsConnection, options: PullOptions): AsyncGenerator<JsMsg> {
  const { signal, ordered } = options;
  let last = options.after ?? 0;
  let failures = 0;
  let current: ConsumerMessages | undefined;
  // Never awaited: the client's close() resolves only while somebody iterates.
  const stopCurrent = () => void current?.close();
  const status = onReconnect(connection, stopCurrent);
  void connection.closed().then(stopCurrent);
  signal?.addEventListener('abort', stopCurrent);
  const ended = () => (signal?.aborted ?? false) || connection.isClosed();
  try {
    while (!ended()) {
      try {
        const consumer = await options.open(last);
        // One long consume() and not many fetch(): the client keeps a listener for each of them for ever.
        current = await consumer.consume({
          max_messages: options.batch,
          expires: expiresMs,
          idle_heartbeat: expiresMs / 2,
          abort_on_missing_resource: true,
        });
        if (ended()) return; // aborted while there was nothing to stop yet
        let delivered = 0;
        for await (const message of current) {
          if (ended()) return;
          if (ordered && message.info.deliverySequence !== ++delivered) break; // one was lost on its way to us
          if (ordered && message.seq <= last) continue;
          failures = 0;
          last = message.seq;
          yield message;
        }
      } catch (error) {
        if (ended()) return;
        if (options.isFinal?.(error)) throw error;
        options.onTrouble?.(error instanceof Error ? error.message : String(error));
        await pause(retryPauseMs(failures++), signal);
      } finally {
        stopCurrent();
        current = undefined;
      }
    }
  } finally {
    status.stop();
    signal?.removeEventListener('abort', stopCurrent);
  }
}

export function onReconnect(connection: NatsConnection, listener: () => void): { stop(): void } {
  const status = connection.status() as AsyncIterable<{ type: string }> & { stop?: () => void };
  void (async () => {
    for await (const { type } of status) if (type === 'reconnect') listener();
  })().catch(() => undefined); // ends with the connection
  return { stop: () => status.stop?.() };
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
