import { type LogLine, pause } from '@tinkerbell/messaging';
import type { Bus } from '../bus/bus';
import { backoffMs, errorText, type Pace } from '../pace';

interface Queued {
  readonly subject: string;
  readonly id: string;
  readonly body: LogLine;
  readonly bytes: number;
  readonly settled: () => void;
}

export interface ShipperLimits {
  /** What may wait in memory while the bus is away; beyond it the oldest lines go. */
  readonly maxBytes: number;
  /** Messages under way at once. */
  readonly batch: number;
}

const defaultLimits: ShipperLimits = { maxBytes: 8 * 1024 * 1024, batch: 128 };

/**
 * Carries output lines to TINK_LOG: in order, each with an id so that a repeated one is stored once, with bounded memory. It never
 * holds up a container: while the bus is away lines wait, and past the limit the oldest are dropped, which a marker line tells.
 */
export class OutputShipper {
  private queue: Queued[] = [];
  private queuedBytes = 0;
  private dropped = 0;
  private droppedSubject = '';
  private markers = 0;
  private working: Promise<void> | undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly bus: Bus,
    private readonly pace: Pace,
    private readonly complain: (text: string) => void,
    private readonly limits: ShipperLimits = defaultLimits,
  ) {}

  /** `settled` is called when the line is stored or was given up. */
  ship(subject: string, id: string, line: LogLine, settled: () => void = () => {}): void {
    if (this.stopping.signal.aborted) return;
    const bytes = line.line.length * 2 + subject.length + id.length + 400;
    this.queue.push({ subject, id, body: line, bytes, settled });
    this.queuedBytes += bytes;
    this.trim();
    this.working ??= this.work();
  }

  /** Resolves when everything so far is stored, or after `ms`. */
  async flush(ms: number): Promise<boolean> {
    const limit = new AbortController();
    const end = AbortSignal.any([limit.signal, this.stopping.signal]);
    const late = pause(ms, end).then(() => false);
    const done = (async () => {
      while (this.working) await this.working;
      return true;
    })();
    return Promise.race([done, late]).finally(() => limit.abort());
  }

  /** Gives up what is left. */
  stop(): void {
    this.stopping.abort();
  }

  private trim(): void {
    while (this.queuedBytes > this.limits.maxBytes && this.queue.length > 1) {
      const oldest = this.queue.shift();
      if (!oldest) return;
      this.queuedBytes -= oldest.bytes;
      this.dropped += 1;
      this.droppedSubject = oldest.subject;
      oldest.settled();
    }
  }

  private async work(): Promise<void> {
    for (let tries = 1; (this.queue.length > 0 || this.dropped > 0) && !this.stopping.signal.aborted;) {
      const failed = this.bus.connected ? await this.sendBatch() : 'the bus is away';
      if (failed === undefined) {
        tries = 1;
        continue;
      }
      if (tries === 1) this.complain(`output is waiting: ${failed}`);
      await pause(backoffMs(this.pace, tries++), this.stopping.signal);
    }
    this.working = undefined;
  }

  /** Sends the head of the queue; what is not acknowledged goes back to the front. Answers why, or undefined. */
  private async sendBatch(): Promise<string | undefined> {
    this.markDropped();
    const batch = this.queue.splice(0, this.limits.batch);
    const results = await Promise.allSettled(batch.map(({ subject, body, id }) => this.bus.publish(subject, body, id)));
    const left = batch.filter((_, i) => results[i]?.status === 'rejected');
    batch.forEach((item, i) => {
      if (results[i]?.status === 'rejected') return;
      this.queuedBytes -= item.bytes;
      item.settled();
    });
    this.queue = [...left, ...this.queue];
    const failure = results.find((result) => result.status === 'rejected');
    return failure && errorText(failure.reason);
  }

  private markDropped(): void {
    if (this.dropped === 0) return;
    const line = `… ${this.dropped} lines of output were dropped here: the bus was away for too long`;
    const body: LogLine = { at: new Date().toISOString(), stream: 'worker', attempt: 0, line };
    const id = `dropped:${process.pid}:${process.hrtime.bigint()}:${this.markers++}`;
    const marker = { subject: this.droppedSubject, id, body, bytes: 0, settled: () => {} };
    this.dropped = 0;
    this.queue.unshift(marker);
  }
}
