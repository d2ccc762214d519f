import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { ApiError, UnreachableError } from '../api-errors';
import type { EventQuery } from '../client';
import type { Context } from '../cli-command';

/** Milliseconds before the first try again and at most. */
const pause = { first: 500, most: 10_000 } as const;

/** Calls `open` again whenever the server goes away, until Ctrl-C: a stream that is followed outlives a restart of the server. */
export async function* untilInterrupted<T>(
  context: Context,
  open: (signal: AbortSignal, onConnect: () => void) => AsyncIterable<T>,
  { ended = () => Promise.resolve(false) }: { readonly ended?: () => Promise<boolean> } = {},
): AsyncGenerator<T> {
  const { signal } = context;
  // A server that cannot be reached at the very start is an error, later it is an interruption.
  let connected = false;
  let lost = false;
  for (let wait: number = pause.first; !signal.aborted; wait = Math.min(wait * 2, pause.most)) {
    try {
      const onConnect = () => {
        if (lost) context.err('connected again');
        connected = true;
        lost = false;
        wait = pause.first;
      };
      yield* open(signal, onConnect);
      if (signal.aborted || (await ended())) return;
    } catch (error) {
      if (signal.aborted) return;
      if (!connected || !isAway(error)) throw error;
      if (!lost) context.err(`${error.message}; trying again`);
      lost = true;
    }
    await delay(wait, signal);
  }
}

/** Nobody answers, or somebody who cannot do it now: a server that starts, a proxy before one that is down. */
export function isAway(error: unknown): error is Error {
  return error instanceof UnreachableError || (error instanceof ApiError && [502, 503, 504].includes(error.status));
}

/** Events as they are recorded, each one once, across restarts of the server. */
export async function* followEvents(context: Context, query: EventQuery): AsyncGenerator<Recorded<AnyEvent>> {
  let last: { readonly position: number; readonly index: number } | undefined;
  const open = (signal: AbortSignal, onConnect: () => void) => {
    // The events of one commit share a position: ask for that commit again and drop what has been seen of it.
    const from = last === undefined ? query : { ...query, since: undefined, after: last.position - 1 };
    return context.client.followEvents(from, signal, onConnect);
  };
  for await (const event of untilInterrupted(context, open)) {
    const { position, index } = event;
    if (last && (position < last.position || (position === last.position && index <= last.index))) continue;
    last = { position, index };
    yield event;
  }
}

/** Resolves after the time, or at once when interrupted. */
export function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
  });
}
