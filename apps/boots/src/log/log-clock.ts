import type { Logger } from '../logger';
import type { Metrics } from '../metrics';

/** Further apart than this, and the clock of the log counts; less is the way there and back. */
const toleratedMs = 1000;

/**
 * The time that boots goes by: that of its own machine, unless a take-over shows it to be another than that of the log. Leases that another
 * instance gave out are then over when they are by the log's clock, not by one that is ahead of it.
 */
export class LogClock {
  /** The log's time, and when it was that by a clock that nobody sets; in milliseconds. undefined: ours is right. */
  #known: { readonly ms: number; readonly since: number } | undefined;

  constructor(
    private readonly own: () => Date,
    private readonly ports: { readonly log: Logger; readonly metrics: Metrics },
    private readonly monotonic: () => number = () => performance.now(),
  ) {}

  readonly now = (): Date =>
    this.#known === undefined ? this.own() : new Date(this.#known.ms + this.monotonic() - this.#known.since);

  /** `stored`: by the log, ISO 8601, of a commit that this instance makes. `commit` resolves when it is stored. */
  async compare(commit: () => Promise<string | undefined>): Promise<void> {
    const before = this.own().getTime();
    const stored = await commit();
    const after = this.own().getTime();
    if (stored === undefined) return;
    const at = Date.parse(stored);
    const offsetMs = at > after ? after - at : at < before ? before - at : 0;
    const isRight = Math.abs(offsetMs) <= toleratedMs;
    this.ports.metrics.set('clock_offset_seconds', {}, isRight ? 0 : offsetMs / 1000);
    this.#known = isRight ? undefined : { ms: at, since: this.monotonic() };
    if (isRight) return;
    this.ports.log.warn(
      `the clock of this machine is ${Math.abs(offsetMs) / 1000} s ${offsetMs > 0 ? 'ahead of' : 'behind'} that of the log ` +
        `(${new Date(after).toISOString()} here when ${stored} there): leases go by the log's. Set the clock, and start boots anew`,
    );
  }
}
