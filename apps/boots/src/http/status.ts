import type { DhcpFileState } from '../dhcp/dhcp-file-watch';
import type { Lease6Pool } from '../log/lease6-pool';
import type { LeasePool } from '../log/lease-pool';
import type { PoolRole } from '../log/pool-terms';
import type { Metrics } from '../metrics';

export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  readonly uptimeSeconds: number;
  /** Whether this instance answers DHCP for its lease pool, or stands by for the one that does. */
  readonly pool: PoolRole;
  /** The same of DHCPv6, where that is answered. */
  readonly pool6?: PoolRole;
  /** What is in force of BOOTS_DHCP_FILE. */
  readonly dhcpFile?: DhcpFileState;
  /** DHCP messages that were not answered because too many came. */
  readonly dhcpShed: number;
  /** Why it is not ok: the last thing that the log said. */
  readonly fault?: string;
}

/** What operators and their tools ask about the service itself. */
export class Status {
  readonly #startedAt = performance.now();

  constructor(
    readonly version: string,
    private readonly pools: {
      readonly leases: LeasePool;
      readonly leases6: Lease6Pool | undefined;
      readonly dhcpFile: { readonly current: { readonly state: DhcpFileState } | undefined };
    },
    private readonly metrics: Metrics,
    /** Whether the log answers; the fault when it does not. */
    private readonly probe: () => Promise<string | undefined>,
  ) {}

  async health(): Promise<HealthReport> {
    const fault = await this.probe();
    const uptimeSeconds = Math.round((performance.now() - this.#startedAt) / 1000);
    const dhcpShed = this.metrics.total('dhcp_dropped_total', { reason: 'overload' });
    const { leases, leases6, dhcpFile } = this.pools;
    const pools = { pool: leases.role, ...(leases6 && { pool6: leases6.role }) };
    const file = dhcpFile.current && { dhcpFile: dhcpFile.current.state };
    const report = { uptimeSeconds, ...pools, ...file, dhcpShed };
    return fault === undefined ? { status: 'ok', ...report } : { status: 'unavailable', ...report, fault };
  }

  text(): string {
    const { leases, leases6 } = this.pools;
    return this.metrics.text({
      leases: leases.size,
      pool_active: leases.isActive ? 1 : 0,
      pool_takeovers: leases.takeovers,
      ...(leases6 && {
        leases6: leases6.size,
        pool6_active: leases6.isActive ? 1 : 0,
        pool6_takeovers: leases6.takeovers,
      }),
      uptime_seconds: Math.round((performance.now() - this.#startedAt) / 1000),
      resident_memory_bytes: process.memoryUsage.rss(),
    });
  }
}
