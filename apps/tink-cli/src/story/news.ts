import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { Context } from '../cli-command';
import type { EventQuery } from '../client';
import { delay, followEvents, isAway } from './follow';

/** What has come in since it was last looked at. */
export class News {
  position = 0;
  note = '';
  private failure: { readonly error: unknown } | undefined;
  private fresh = false;
  private wake: () => void = () => undefined;

  constructor(private readonly signal: AbortSignal) {}

  tell(news: { readonly position?: number; readonly note?: string }): void {
    this.position = Math.max(this.position, news.position ?? 0);
    this.note = news.note ?? this.note;
    this.fresh = true;
    this.wake();
  }

  fail(error: unknown): void {
    this.failure = { error };
    this.wake();
  }

  /** Resolves when there is something new, at the latest after the time; rejects with what a feed failed with. */
  async next(milliseconds: number | undefined): Promise<void> {
    if (!this.fresh && !this.failure && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        this.signal.addEventListener('abort', () => resolve(), { once: true });
        if (milliseconds !== undefined) void delay(milliseconds, this.signal).then(resolve);
      });
    }
    // It may come by the thousand: a picture ten times a second is enough.
    if (milliseconds !== undefined) await delay(100, this.signal);
    this.fresh = false;
    if (this.failure) throw this.failure.error;
  }
}

/** Tells of each event, until Ctrl-C. */
export async function feedEvents(
  context: Context,
  query: EventQuery,
  news: News,
  onEvent: (recorded: Recorded<AnyEvent>) => void = () => undefined,
): Promise<void> {
  try {
    for await (const recorded of followEvents(context, query)) {
      onEvent(recorded);
      news.tell({ position: recorded.position, note: '' });
    }
  } catch (error) {
    news.fail(error);
  }
}

/** What is there now; what was there when the server is away for a moment, or on Ctrl-C. */
export async function unlessAway<T>(context: Pick<Context, 'signal'>, before: T, read: () => Promise<T>): Promise<T> {
  if (context.signal.aborted) return before;
  try {
    return await read();
  } catch (error) {
    if (context.signal.aborted) return before;
    if (!isAway(error)) throw error;
    await delay(500, context.signal);
    return before;
  }
}
