import type { DhcpServerFound, DhcpServiceEvent } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { DhcpServerRow } from './rows';

/** One row a lease pool: which boots answers for it, and which other DHCP servers were seen beside it. */
export const dhcpServerList: Projection<DhcpServiceEvent, DhcpServerRow> = {
  name: 'dhcp-server-list',
  version: 1,
  aggregates: ['lease'],
  key: ({ aggregate, aggregateId, event: { type } }) =>
    aggregate === 'lease' && (type === 'PoolTaken' || type === 'DhcpServerFound') ? aggregateId : undefined,
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, at, position, aggregateId: leasePool } = recorded;
    const known = row ?? { leasePool, active: null, others: [], position };
    switch (event.type) {
      case 'PoolTaken':
        return { ...known, active: { ...event.data, since: at }, position };
      case 'DhcpServerFound':
        return { ...known, others: othersWith(known.others, event.data), position };
      default:
        return row;
    }
  },
};

/** Somebody may make servers up. */
const maxOthers = 64;

function othersWith(others: DhcpServerRow['others'], found: DhcpServerFound['data']): DhcpServerRow['others'] {
  const before = others.find(({ server }) => server === found.server);
  const rest = others.filter((other) => other !== before).slice(-(maxOthers - 1));
  return [...rest, { ...found, firstSeenAt: before?.firstSeenAt ?? found.seenAt }];
}
