import { numberOf } from '@tinkerbell/domain';
import { addressQueue, subnetQueue } from './lease-list.projection';
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
export function poolCounts({ subnet, ranges, size }: PoolRow, leases: LeaseTally, now: string): PoolCounts {
  let [used, quarantined] = [0, 0];
  for (const { queueOf, first, last } of blocksOf(subnet, ranges)) {
    used += leases.tally(queueOf('leased'), first, last);
    if (leases.tally(queueOf('quarantined'), first, last) === 0) continue;
    quarantined += leases
      .list({ lookups: [queueOf('quarantined')] })
      .filter(
        ({ ip, quarantinedUntil }) => isBetween(rankOf(ip), first, last) && (quarantinedUntil ?? '') > now,
      ).length;
  }
  const taken = used + quarantined;
  const utilisation = size === 0 ? 0 : Math.round((taken / size) * 1000) / 10;
  return { used, quarantined, free: size - taken, utilisation };
}

const isBetween = (number: number, first: number, last: number) => number >= first && number <= last;

/** As the rows of `leaseList` are ranked in their queues. */
const rankOf = (ip: string) => (ip.includes(':') ? 0 : numberOf(ip));

interface Block {
  queueOf(standing: 'leased' | 'quarantined'): string;
  readonly first: number;
  readonly last: number;
}

/** IPv4: of at most 256 addresses each, none across two queues. IPv6: the one range of the subnet. */
function* blocksOf(subnet: string, ranges: readonly string[]): Generator<Block> {
  for (const range of ranges) {
    if (range.includes(':')) {
      yield { queueOf: (standing) => subnetQueue(standing, subnet), first: 0, last: 0 };
      continue;
    }
    const [from = '', to = from] = range.split('-');
    const end = numberOf(to);
    for (let first = numberOf(from); first <= end; first = (Math.floor(first / 256) + 1) * 256) {
      const last = Math.min(end, Math.floor(first / 256) * 256 + 255);
      yield { queueOf: (standing) => addressQueue(standing, first), first, last };
    }
  }
}
