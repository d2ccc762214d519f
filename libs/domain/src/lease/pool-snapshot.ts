import { LeaseBook } from './lease-book';
import type { LeaseState } from './lease.decider';
import { clientKey, type Lease, LeaseTable } from './lease-table';
import type { PoolState } from './pool.decider';

/** How the state of a pool is written, lease by lease, and read back. What it writes is JSON-safe. */
export interface PoolSaving<S, Pool = unknown, One = unknown> {
  /** Goes up when the same events lead to another state: what an older fold led to is then not taken. The spec notices. */
  readonly fold: number;
  /** Everything but its leases. */
  pool(state: S): Pool;
  leases(state: S): Iterable<One>;
  /** The state that was saved; what no rule can reach any more (a client's address that is another's by now) is left out. */
  restoration(): { add(lease: One): void; done(pool: Pool): S };
}

export const poolSaving: PoolSaving<PoolState, SavedPool, SavedLease> = {
  fold: 1,
  pool: savedPool,
  leases: ({ leases }) => savedLeases(leases),
  restoration,
};

interface SavedPool {
  readonly taken: PoolState['taken'] | null;
  readonly own: readonly string[];
  readonly told: readonly (readonly [string, string])[];
  readonly pools: readonly (readonly [string, { readonly level: number; readonly defined?: object }])[];
}

/** `isLast`: its client was given no other address since. */
type SavedLease = readonly [
  ...[mac: string | null, hardwareId: string | null, clientId: string | null, ip: string, subnet: string],
  ...[origin: Lease['origin'], hostname: string, state: Lease['state'], expiresAt: string, isLast: 0 | 1],
];

function savedPool({ taken, own, told, leases }: PoolState): SavedPool {
  return { taken: taken ?? null, own: [...own], told: [...told], pools: [...leases.pools] };
}

function* savedLeases({ book }: LeaseState): Generator<SavedLease> {
  for (const lease of book.values()) {
    const { mac, hardwareId, clientId, ip, subnet, origin, hostname, state, expiresAt } = lease;
    const isLast = book.lastOf(clientKey(lease))?.ip === ip ? 1 : 0;
    yield [mac, hardwareId, clientId, ip, subnet, origin, hostname, state, expiresAt, isLast];
  }
}

function restoration() {
  const table = new LeaseTable();
  return {
    add([mac, hardwareId, clientId, ip, subnet, origin, hostname, state, expiresAt, isLast]: SavedLease): void {
      const lease: Lease = { mac, hardwareId, clientId, ip, subnet, origin, hostname, state, expiresAt };
      if (isLast) table.putLast(lease);
      else table.put(lease);
    },
    done({ taken, own, told, pools }: SavedPool): PoolState {
      const known = new Map(pools as Iterable<[string, { defined: undefined; level: 0 }]>);
      return {
        ...{ taken: taken ?? undefined, own: new Set(own), told: new Map(told) },
        leases: { book: LeaseBook.over(table), pools: known },
      };
    },
  };
}
