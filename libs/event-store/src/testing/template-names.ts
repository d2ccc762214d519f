import type { TemplateEvent } from '@tinkerbell/events';
import type { Projection } from '@tinkerbell/projections';
import { subjects } from '@tinkerbell/messaging';
import type { InMemoryEventStore } from '../in-memory';

export interface Row {
  readonly name: string;
  readonly version: number;
}

export const names = (version = 1): Projection<TemplateEvent, Row> => ({
  name: 'template-names',
  version,
  aggregates: ['template'],
  key: ({ aggregateId }) => aggregateId,
  evolve(_row, { event, version: commit }) {
    if (event.type === 'TemplateDeleted') return undefined;
    return { name: version === 1 ? event.data.name : event.data.name.toUpperCase(), version: commit };
  },
  lookups: ({ name }) => [`name:${name}`],
});

export const write = async (store: InMemoryEventStore, id: string, event: TemplateEvent) => {
  const stream = subjects.stream('template', id);
  const { head } = await store.read(stream);
  return store.append(stream, [event], { expected: head, metadata: { id: crypto.randomUUID(), actor: 'test' } });
};
export const created = (name: string): TemplateEvent => ({ type: 'TemplateCreated', v: 1, data: { name, data: '' } });
export const updated = (name: string): TemplateEvent => ({ type: 'TemplateUpdated', v: 1, data: { name, data: '' } });
export const deleted: TemplateEvent = { type: 'TemplateDeleted', v: 1, data: {} };
