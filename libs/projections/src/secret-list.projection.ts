import type { SecretEvent } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { SecretRow } from './rows';

export const secretList: Projection<SecretEvent, SecretRow> = {
  name: 'secret-list',
  version: 1,
  aggregates: ['secret'],
  key: ({ aggregate, aggregateId }) => (aggregate === 'secret' ? aggregateId : undefined),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, aggregateId, at, position, metadata } = recorded;
    switch (event.type) {
      case 'SecretSet': {
        const { version } = event.data;
        const createdAt = row?.createdAt ?? at;
        return { name: aggregateId, version, by: metadata.actor, createdAt, updatedAt: at, position };
      }
      case 'SecretDeleted':
        return undefined;
      default:
        return row;
    }
  },
};
