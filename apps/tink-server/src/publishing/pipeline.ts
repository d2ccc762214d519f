import type { PublicMessage, PublishedStream } from '@tinkerbell/messaging';

/** Messages under way at the same time. */
const width = 64;

/**
 * Publishes messages behind each other without waiting for each: every one names the sequence that it comes after. Only the first is
 * waited for: it proves that the stream still ends where its head was read. Without that proof a second publisher may bring the stream
 * to the very sequence that a later one of ours names, and it would be stored although those before it were not.
 */
export class Pipeline {
  private readonly underWay = new Set<Promise<void>>();
  private readonly failure = new AbortController();
  private proven = false;

  /** `sequence`: of the last message of the stream. */
  constructor(
    private readonly stream: PublishedStream,
    private sequence: number,
  ) {}

  /** Aborts with the first error as its reason. */
  get failed(): AbortSignal {
    return this.failure.signal;
  }

  /** Resolves when the next one may be sent. Does nothing after a failure. */
  async send(message: PublicMessage): Promise<void> {
    if (this.failed.aborted) return;
    const stored = this.stream.publish(message, this.sequence++).then(
      () => void (this.proven = true),
      (error: unknown) => this.failure.abort(error),
    );
    this.underWay.add(stored);
    void stored.then(() => this.underWay.delete(stored));
    while (this.underWay.size >= (this.proven ? width : 1)) await Promise.race(this.underWay);
  }

  /** Calls back when all that was sent before is stored; never when something of it was not. */
  afterwards(then: () => void): void {
    void Promise.all(this.underWay).then(() => {
      if (!this.failed.aborted) then();
    });
  }

  /** Resolves when nothing is under way; throws what went wrong. */
  async drained(): Promise<void> {
    await Promise.all(this.underWay);
    if (this.failed.aborted) throw this.failed.reason;
  }
}
