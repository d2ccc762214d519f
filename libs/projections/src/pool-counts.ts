import { numberOf } from '@tinkerbell/domain';
import { addressQueue } from './lease-list.projection';
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
  for (const [first, last] of blocksOf(ranges)) {
    used += leases.tally(addressQueue('leased', first), first, last);
    if (leases.tally(addressQueue('quarantined', first), first, last) === 0) continue;
    quarantined += leases
      .list({ lookups: [addressQueue('quarantined', first)] })
      .filter(
        ({ ip, quarantinedUntil }) => isBetween(numberOf(ip), first, last) && (quarantinedUntil ?? '') > now,
      ).length;
  }
  const taken = used + quarantined;
  const utilisation = size === 0 ? 0 : Math.round((taken / size) * 1000) / 10;
  return { used, quarantined, free: size - taken, utilisation };
}

const isBetween = (number: number, first: number, last: number) => number >= first && number <= last;

/** Of at most 256 addresses each, none across two queues. */
function* blocksOf(ranges: readonly string[]): Generator<readonly [first: number, last: number]> {
  for (const range of ranges) {
    const [from = '', to = from] = range.split('-');
    const last = numberOf(to);
    for (let first = numberOf(from); first <= last; first = (Math.floor(first / 256) + 1) * 256) {
      yield [first, Math.min(last, Math.floor(first / 256) * 256 + 255)];
    }
  }
}
