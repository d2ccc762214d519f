import type { EventStore } from '@tinkerbell/event-store';
import type { ReadSide } from './read-side';

export interface Health {
  readonly healthy: boolean;
  readonly version: string;
  /** Seconds since the start. */
  readonly uptime: number;
  /** Position of the log and how far the read models have come; null when the log cannot be reached. */
  readonly log: number | null;
  readonly applied: number;
  readonly reason?: string;
}

/** What this server says about itself. */
export class Site {
  private fault: Error | undefined;
  private readonly startedAt = process.hrtime.bigint();

  constructor(
    private readonly store: EventStore,
    /** PEM. */
    readonly ca: string,
    readonly version: string,
    /** Ends when the read models can no longer follow the log. */
    fault: Promise<Error>,
  ) {
    void fault.then((error) => (this.fault = error));
  }

  async health(reads: ReadSide): Promise<Health> {
    const uptime = Number((process.hrtime.bigint() - this.startedAt) / 1_000_000_000n);
    const known = { version: this.version, uptime, applied: reads.position() };
    if (this.fault) return { healthy: false, ...known, log: null, reason: this.fault.message };
    try {
      return { healthy: true, ...known, log: await inTime(this.store.lastPosition()) };
    } catch (error) {
      return { healthy: false, ...known, log: null, reason: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** Whoever asks for health has no patience: a second. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the log does not answer')), 1_000);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
