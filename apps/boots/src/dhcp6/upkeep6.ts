import type { Lease6Command } from '@tinkerbell/domain';
import type { Lease6Pool } from '../log/lease6-pool';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import type { Subnet6 } from './subnet6';

export interface Upkeep6Ports {
  readonly leases: Lease6Pool;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** How often leases are looked through for those that ran out. */
const sweepMs = 1000;
const maxExpired = 500;

/** What nobody asks for: that a lease ran out, that a range gets full. */
export class Upkeep6 {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #defined = -1;
  readonly #counted = new Map<string, string>();
  readonly #ranges: readonly { readonly name: string; readonly range: NonNullable<Subnet6['range']> }[];

  constructor(
    private readonly ports: Upkeep6Ports,
    subnets: readonly Subnet6[],
  ) {
    this.#ranges = subnets.flatMap(({ name, range }) => (range ? [{ name, range }] : []));
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
    for (const { name, range } of this.#ranges) await this.#count(name, Number(range.size));
  }

  #definitions(): readonly Lease6Command[] {
    return [
      { type: 'KeepPools', pools: this.#ranges.map(({ name }) => name) },
      ...this.#ranges.map(({ name, range }) => ({
        ...({ type: 'DefinePool', subnet: name, pool: name } as const),
        ...{ ranges: [range.name], size: Number(range.size) },
      })),
    ];
  }

  async #count(pool: string, size: number): Promise<void> {
    const { leases, metrics } = this.ports;
    const { used, quarantined } = leases.usage(pool);
    const counted = `${used} ${quarantined}`;
    if (this.#counted.get(pool) === counted) return;
    metrics.set('dhcp_pool_size', { pool }, size);
    metrics.set('dhcp_pool_used', { pool }, used);
    metrics.set('dhcp_pool_quarantined', { pool }, quarantined);
    await leases.submit([{ type: 'CountPool', subnet: pool, pool, size, used: used + quarantined }]);
    this.#counted.set(pool, counted);
  }
}
