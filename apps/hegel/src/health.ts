/** Whether the rows that hegel serves are kept up to date. */
export abstract class SourceHealth {
  /** What is wrong, or undefined. */
  abstract fault(): string | undefined;
}

export interface HealthReport {
  readonly git_rev: string;
  /** Seconds. */
  readonly uptime: number;
  /** The name comes from the first hegel, which monitors know; here it counts active handles and requests of the process. */
  readonly goroutines: number;
  /** Likewise: is the source of the hardware data well? */
  readonly cacher_status: boolean;
  readonly fault?: string;
}

export function healthReport(revision: string, source: SourceHealth): HealthReport {
  const fault = source.fault();
  return {
    git_rev: revision,
    uptime: Number(process.uptime().toFixed(3)),
    goroutines: process.getActiveResourcesInfo().length,
    cacher_status: fault === undefined,
    ...(fault === undefined ? {} : { fault }),
  };
}
