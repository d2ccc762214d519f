import { blocksOf, isInBlock } from './address-queues';
import type { LeaseRow, PoolRow } from './rows';

/** Addresses of a pool. `used` and `quarantined` stand in no one's way twice: an address is one of them at most. */
export interface PoolCounts {
  readonly used: number;
  readonly quarantined: number;
  readonly free: number;
  /** Per cent of all that is not free, to one place. */
  readonly utilisation: number;
}

/** What of the rows of `leaseList` it takes to count. */
export interface LeaseTally {
  tally(queue: string, first: number, last: number): number;
  list(options: { readonly lookups: readonly string[] }): readonly LeaseRow[];
}

/** `now`: ISO 8601; a quarantine that is over by then keeps nothing. */
export function poolCounts({ ranges, size }: PoolRow, leases: LeaseTally, now: string): PoolCounts {
  let [used, quarantined] = [0, 0];
  for (const range of ranges) {
    for (const block of blocksOf(range)) {
      used += leases.tally(block.queueOf('leased'), block.first, block.last);
      const queue = block.queueOf('quarantined');
      if (leases.tally(queue, block.first, block.last) === 0) continue;
      quarantined += leases
        .list({ lookups: [queue] })
        .filter(({ ip, quarantinedUntil }) => isInBlock(ip, block) && (quarantinedUntil ?? '') > now).length;
    }
  }
  const taken = used + quarantined;
  const utilisation = size === 0 ? 0 : Math.round((taken / size) * 1000) / 10;
  return { used, quarantined, free: size - taken, utilisation };
}
