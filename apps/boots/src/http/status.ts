import type { LeasePool } from '../log/lease-pool';
import type { Metrics } from '../metrics';

export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  readonly uptimeSeconds: number;
  /** Why it is not ok: the last thing that the log said. */
  readonly fault?: string;
}

/** What operators and their tools ask about the service itself. */
export class Status {
  readonly #startedAt = performance.now();

  constructor(
    readonly version: string,
    private readonly leases: LeasePool,
    private readonly metrics: Metrics,
    /** Whether the log answers; the fault when it does not. */
    private readonly probe: () => Promise<string | undefined>,
  ) {}

  async health(): Promise<HealthReport> {
    const fault = await this.probe();
    const uptimeSeconds = Math.round((performance.now() - this.#startedAt) / 1000);
    return fault === undefined ? { status: 'ok', uptimeSeconds } : { status: 'unavailable', uptimeSeconds, fault };
  }

  text(): string {
    return this.metrics.text({
      leases: this.leases.size,
      uptime_seconds: Math.round((performance.now() - this.#startedAt) / 1000),
      resident_memory_bytes: process.memoryUsage.rss(),
    });
  }
}
