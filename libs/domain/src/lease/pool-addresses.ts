import { numberOf, textOf } from './ipv4';
import type { LeaseBook } from './lease-book';
import type { Lease } from './lease-table';
import { TimeHeap } from './time-heap';

/** Both ends belong to it; IPv4 addresses as numbers. */
export type AddressRange = readonly [first: number, last: number];

export interface PoolSpec {
  readonly name: string;
  readonly subnet: string;
  /** Ascending, none touching another. */
  readonly ranges: readonly AddressRange[];
}

export const [never, used, ended, quarantined] = [0, 1, 2, 3] as const;

/** What is known of the addresses of one pool. */
export interface Pool extends PoolSpec {
  readonly size: number;
  /** What is known of each address, in the order of the ranges. */
  readonly standing: Uint8Array;
  readonly counts: [number, number, number, number];
  /** All before were offered once, or are not to be. */
  next: number;
  scannedAt: number;
  /** Addresses that are free again, by when their last lease ran out, or was to. */
  readonly back: TimeHeap;
  /** Addresses in quarantine, by its end. */
  readonly locked: TimeHeap;
  /** Of those, what a client declined. */
  readonly declined: TimeHeap;
  /** Those that are offered → to whom, the longest held first. */
  readonly held: Map<string, string>;
}

/** -1: not in it. */
export function indexOf({ ranges }: PoolSpec, number: number): number {
  let before = 0;
  for (const [first, last] of ranges) {
    if (number < first) return -1;
    if (number <= last) return before + number - first;
    before += last - first + 1;
  }
  return -1;
}

export function addressAt({ ranges }: PoolSpec, index: number): string {
  let left = index;
  for (const [first, last] of ranges) {
    const length = last - first + 1;
    if (left < length) return textOf(first + left);
    left -= length;
  }
  return '';
}

export function standingOf({ state }: Lease): typeof used | typeof ended | typeof quarantined {
  if (state === 'bound') return used;
  return state === 'declined' || state === 'conflict' ? quarantined : ended;
}

/** Puts quarantines that are over at `ms` back among the free: no event says so. */
export function unlock(pool: Pool, book: Pick<LeaseBook, 'get'>, ms: number): void {
  for (let over = pool.locked.take(ms); over; over = pool.locked.take(ms)) {
    const { key, time } = over;
    const index = indexOf(pool, numberOf(key));
    const lease = book.get(key);
    if (pool.standing[index] === quarantined && lease) {
      const at = Date.parse(lease.expiresAt);
      // Once more since.
      if (at > ms) {
        pool.locked.put(key, at);
        continue;
      }
      pool.counts[quarantined]--;
      pool.counts[ended]++;
      pool.standing[index] = ended;
    }
    pool.back.put(key, time);
  }
}

export function emptyPool(spec: PoolSpec): Pool {
  const size = spec.ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return {
    ...spec,
    size,
    standing: new Uint8Array(size),
    counts: [size, 0, 0, 0],
    next: 0,
    scannedAt: 0,
    back: new TimeHeap(),
    locked: new TimeHeap(),
    declined: new TimeHeap(),
    held: new Map(),
  };
}

export function reset(pool: Pool): void {
  pool.standing.fill(never);
  pool.counts.splice(0, 4, pool.size, 0, 0, 0);
  pool.next = 0;
  pool.back.clear();
  pool.locked.clear();
  pool.declined.clear();
  pool.held.clear();
}
