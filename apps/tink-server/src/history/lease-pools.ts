import { BusUnavailableError, type PoolMember, type PoolRoll } from '@tinkerbell/messaging';
import { poolCounts, type DhcpServerRow, type PoolCounts, type PoolRow } from '@tinkerbell/projections';
import { listOf } from '../http/paging';
import type { Query } from '../http/query';
import type { AsOf } from './as-of';
import type { LeaseHistory } from './lease-history';

/** Who serves a lease pool. */
export interface Service {
  readonly active: DhcpServerRow['active'];
  /** Whether the active one said so just now; null: of the past, or without NATS, nobody can be asked. */
  readonly answers: boolean | null;
  /** Addresses of those that would take over, by their own word; null: as above. */
  readonly standbys: readonly string[] | null;
}

export type PoolItem = PoolRow & PoolCounts & { readonly service: Service };
export type DhcpServerItem = Omit<DhcpServerRow, 'active'> & Service;

/** What lease pools have left, and who serves them. */
export class LeasePools {
  constructor(
    private readonly asOf: AsOf,
    private readonly history: LeaseHistory,
    private readonly roll: Pick<PoolRoll, 'call'>,
  ) {}

  async pools(query: Query): Promise<unknown> {
    const { time } = await this.history.standpoint(query);
    const reads = await this.asOf.reads(query);
    const members = await this.members(query);
    const present = (row: PoolRow): PoolItem => ({
      ...row,
      ...poolCounts(row, reads.leases, time),
      service: serviceOf(reads.dhcpServers.get(row.leasePool), row.leasePool, members),
    });
    return listOf(reads.pools, ({ id }) => id, query, present);
  }

  async servers(query: Query): Promise<unknown> {
    const reads = await this.asOf.reads(query);
    const members = await this.members(query);
    const present = (row: DhcpServerRow): DhcpServerItem => ({ ...row, ...serviceOf(row, row.leasePool, members) });
    return listOf(reads.dhcpServers, ({ leasePool }) => leasePool, query, present);
  }

  /** null: of the past, or without NATS, nobody can be asked; what the log says is answered all the same. */
  private members(query: Query): Promise<readonly PoolMember[] | null> {
    return query.text('at') === undefined ? this.roll.call().catch(unlessUnavailable) : Promise.resolve(null);
  }
}

function unlessUnavailable(error: unknown): null {
  if (error instanceof BusUnavailableError) return null;
  throw error;
}

function serviceOf(row: DhcpServerRow | undefined, leasePool: string, members: readonly PoolMember[] | null): Service {
  const active = row?.active ?? null;
  if (members === null) return { active, answers: null, standbys: null };
  const own = members.filter(({ pool }) => pool === leasePool);
  return {
    active,
    answers: own.some(({ role }) => role === 'active'),
    standbys: own.flatMap(({ role, address }) => (role === 'standby' ? [address] : [])).sort(),
  };
}
