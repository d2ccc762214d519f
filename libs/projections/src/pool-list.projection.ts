import type { LeaseEvent, Recorded } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { PoolRow } from './rows';

/** One row a pool: what it may give out, and when it was last told how full it is. */
export const poolList: Projection<LeaseEvent, PoolRow> = {
  name: 'pool-list',
  version: 1,
  aggregates: ['lease'],
  key: (recorded) => poolKey(recorded),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, at, position, aggregateId: leasePool } = recorded;
    switch (event.type) {
      case 'PoolDefined': {
        const { crossed = null } = row ?? {};
        return { id: `${leasePool}/${event.data.pool}`, leasePool, ...event.data, definedAt: at, crossed, position };
      }
      case 'PoolUtilisationCrossed': {
        const { level, before, used, size } = event.data;
        return row && { ...row, crossed: { at, level, before, used, size }, position };
      }
      case 'PoolDropped':
        return undefined;
      default:
        return row;
    }
  },
};

function poolKey({ aggregate, aggregateId, event }: Recorded<LeaseEvent>): string | undefined {
  return aggregate === 'lease' && event.data && 'pool' in event.data ? `${aggregateId}/${event.data.pool}` : undefined;
}
