import type { Lease6Command } from '@tinkerbell/domain';
import type { Lease6Pool } from '../log/lease6-pool';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { sizeOf, type Subnet6, type SubnetPool6 } from './subnet6';

export interface Upkeep6Ports {
  readonly leases: Lease6Pool;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** How often leases are looked through for those that ran out. */
const sweepMs = 1000;
const maxExpired = 500;

const gauges = ['dhcp_pool_size', 'dhcp_pool_used', 'dhcp_pool_quarantined'] as const;

type PoolOfSubnet = SubnetPool6 & { readonly subnet: string };

/** What nobody asks for: that a lease ran out, that a range gets full. */
export class Upkeep6 {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #defined = -1;
  readonly #counted = new Map<string, string>();
  #pools: readonly PoolOfSubnet[];

  constructor(
    private readonly ports: Upkeep6Ports,
    subnets: readonly Subnet6[],
  ) {
    this.#pools = poolsOf(subnets);
  }

  /** Other pools from now on. */
  change(subnets: readonly Subnet6[]): void {
    const next = poolsOf(subnets);
    for (const { name: pool } of this.#pools.filter(({ name }) => next.every((one) => one.name !== name))) {
      for (const gauge of gauges) this.ports.metrics.drop(gauge, { pool });
    }
    this.#pools = next;
    this.#defined = -1;
  }

  open(): void {
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  #sweep(): void {
    const { leases, log } = this.ports;
    this.#sweeping = this.#sweeping
      .then(() => (leases.isActive ? this.#keepBooks() : undefined))
      .catch((error: unknown) => log.debug(`IPv6 leases that ran out are told of later: ${String(error)}`));
  }

  async #keepBooks(): Promise<void> {
    const { leases, clock } = this.ports;
    const { takeovers } = leases;
    if (this.#defined !== takeovers) {
      await leases.submit(this.#definitions());
      this.#counted.clear();
      this.#defined = takeovers;
    }
    const now = clock();
    const ips = leases.due({ iso: now.toISOString(), ms: now.getTime() }, maxExpired);
    if (ips.length > 0) await leases.submit([{ type: 'ExpireAddresses', ips, now: now.toISOString() }]);
    for (const pool of this.#pools) {
      // Others may have taken their place.
      if (this.#pools.includes(pool)) await this.#count(pool.subnet, pool.name, Number(sizeOf(pool)));
    }
  }

  #definitions(): readonly Lease6Command[] {
    return [
      { type: 'KeepPools', pools: this.#pools.map(({ name }) => name) },
      ...this.#pools.map((pool) => ({
        ...({ type: 'DefinePool', subnet: pool.subnet, pool: pool.name } as const),
        ...{ ranges: pool.ranges.map(({ name }) => name), size: Number(sizeOf(pool)) },
      })),
    ];
  }

  async #count(subnet: string, pool: string, size: number): Promise<void> {
    const { leases, metrics } = this.ports;
    const { used, quarantined } = leases.usage(pool);
    const counted = `${used} ${quarantined}`;
    if (this.#counted.get(pool) === counted) return;
    metrics.set('dhcp_pool_size', { pool }, size);
    metrics.set('dhcp_pool_used', { pool }, used);
    metrics.set('dhcp_pool_quarantined', { pool }, quarantined);
    await leases.submit([{ type: 'CountPool', subnet, pool, size, used: used + quarantined }]);
    this.#counted.set(pool, counted);
  }
}

function poolsOf(subnets: readonly Subnet6[]): readonly PoolOfSubnet[] {
  return subnets.flatMap(({ name: subnet, pools }) => pools.map((pool) => ({ ...pool, subnet })));
}
