import type { TemplateEvent } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { TemplateRow } from './rows';

export const templateList: Projection<TemplateEvent, TemplateRow> = {
  name: 'template-list',
  version: 1,
  aggregates: ['template'],
  key: ({ aggregate, aggregateId }) => (aggregate === 'template' ? aggregateId : undefined),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, aggregateId, at, position, version } = recorded;
    switch (event.type) {
      case 'TemplateCreated':
      case 'TemplateUpdated': {
        const createdAt = event.type === 'TemplateUpdated' ? (row?.createdAt ?? at) : at;
        const { name, data } = event.data;
        return { id: aggregateId, name, data, version, createdAt, updatedAt: at, position };
      }
      case 'TemplateDeleted':
        return undefined;
      default:
        return row;
    }
  },
  lookups: ({ name }) => [`name:${name}`],
};
