import type { NatsConnection } from 'nats';
import { pause } from './pause';

/** What one consumer delivers, until it ends, fails or is stopped. */
export interface Reading<T> extends AsyncIterable<T> {
  stop(): void;
}

export interface ReadingOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called when reading has to be tried again, with the reason. */
  readonly onTrouble?: ((reason: string) => void) | undefined;
  /** An error of `open` that no other try will cure: it is thrown to the reader. */
  readonly isFinal?: ((error: unknown) => boolean) | undefined;
}

const slowestRetryMs = 2000;

/** Opens and reads, again after every end, failure and reconnection, until aborted or the connection is closed for good. */
export async function* keepReading<T>(
  connection: NatsConnection,
  open: () => Promise<Reading<T>>,
  { signal, onTrouble, isFinal }: ReadingOptions,
): AsyncGenerator<T> {
  let failures = 0;
  let current: Reading<T> | undefined;
  const stopCurrent = () => current?.stop();
  const status = onReconnect(connection, stopCurrent);
  void connection.closed().then(stopCurrent);
  signal?.addEventListener('abort', stopCurrent);
  const ended = () => (signal?.aborted ?? false) || connection.isClosed();
  try {
    while (!ended()) {
      try {
        current = await open();
        if (ended()) return; // aborted while there was nothing to stop yet
        for await (const one of current) {
          if (ended()) return;
          failures = 0;
          yield one;
        }
      } catch (error) {
        if (ended()) return;
        if (isFinal?.(error)) throw error;
        onTrouble?.(error instanceof Error ? error.message : String(error));
        await pause(Math.min(50 * 2 ** failures++, slowestRetryMs), signal);
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

function onReconnect(connection: NatsConnection, listener: () => void): { stop(): void } {
  const status = connection.status() as AsyncIterable<{ type: string }> & { stop?: () => void };
  void (async () => {
    for await (const { type } of status) if (type === 'reconnect') listener();
  })().catch(() => undefined); // ends with the connection
  return { stop: () => status.stop?.() };
}
