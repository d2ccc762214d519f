import type { LeasePool, PoolRole } from '../log/lease-pool';
import type { Metrics } from '../metrics';

export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  readonly uptimeSeconds: number;
  /** Whether this instance answers DHCP for its lease pool, or stands by for the one that does. */
  readonly pool: PoolRole;
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
    const { role: pool } = this.leases;
    return fault === undefined
      ? { status: 'ok', uptimeSeconds, pool }
      : { status: 'unavailable', uptimeSeconds, pool, fault };
  }

  text(): string {
    return this.metrics.text({
      leases: this.leases.size,
      pool_active: this.leases.isActive ? 1 : 0,
      pool_takeovers: this.leases.takeovers,
      uptime_seconds: Math.round((performance.now() - this.#startedAt) / 1000),
      resident_memory_bytes: process.memoryUsage.rss(),
    });
  }
}
