import type { PublishedStream } from '@tinkerbell/messaging';
import { type CloudEvent, fromCeHeaders } from '@tinkerbell/public-events';

export interface Ahead {
  readonly sequence: number;
  readonly event: CloudEvent;
}

/** Events that are kept, at most; the stream waits then. */
const most = 200;

/** What a subscription's consumer will hand out, read before without moving it. */
export class ReadAhead {
  private readonly stop = new AbortController();
  private readonly pumping: Promise<void>;
  private found: Ahead[] = [];
  private onChange: () => void = () => undefined;

  constructor(stream: Pick<PublishedStream, 'ahead'>, durable: string, after: number) {
    // When it breaks off there is nothing ahead, and events go out one by one.
    this.pumping = this.pump(stream.ahead(durable, after, this.stop.signal)).catch(() => undefined);
  }

  /** What is known to come after a message; waits until that is so much, but not for long. */
  async after(sequence: number, count: number, waitMs: number): Promise<readonly Ahead[]> {
    this.found = this.found.filter((one) => one.sequence > sequence);
    this.onChange();
    const deadline = Date.now() + waitMs;
    while (this.found.length < count && !this.stop.signal.aborted) {
      const left = deadline - Date.now();
      if (left <= 0) break;
      await this.change(left);
    }
    return this.found;
  }

  async close(): Promise<void> {
    this.stop.abort();
    this.onChange();
    await this.pumping;
  }

  private async pump(messages: ReturnType<PublishedStream['ahead']>): Promise<void> {
    for await (const message of messages) {
      const event = fromCeHeaders((header) => message.header(header), message.text());
      this.found.push({ sequence: message.sequence, event });
      this.onChange();
      while (this.found.length >= most && !this.stop.signal.aborted) await this.change();
    }
  }

  /** Resolves when something came, went or ended, or after so long. */
  private change(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(() => this.onChange(), milliseconds);
      const others = this.onChange;
      this.onChange = () => {
        clearTimeout(timer);
        this.onChange = () => undefined;
        others();
        resolve();
      };
    });
  }
}
