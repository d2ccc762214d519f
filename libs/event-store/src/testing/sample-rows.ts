import type { TemplateEvent } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import type { Projection } from '@tinkerbell/projections';
import { emptyHead, type EventStore } from '../event-store';

export interface SampleRow {
  readonly name: string;
  readonly commits: number;
  readonly at: string;
}

export const sampleRows: Projection<TemplateEvent, SampleRow> = {
  name: 'sample-rows',
  version: 1,
  aggregates: ['template'],
  key: ({ aggregateId }) => aggregateId,
  evolve: (row, { event, version, at }) =>
    event.type === 'TemplateDeleted' ? row : { name: event.data.name, commits: version, at },
  lookups: ({ name }) => [`name:${name.slice(0, 40)}`],
};

/** The same commits every time, spread over `streams` streams. */
export async function fillLog(
  store: EventStore,
  options: { readonly commits: number; readonly streams: number; readonly name: (i: number) => string },
): Promise<void> {
  const heads = new Map<string, typeof emptyHead>();
  for (let i = 0; i < options.commits; i++) {
    const stream = subjects.stream('template', `t${i % options.streams}`);
    const created: TemplateEvent = { type: 'TemplateCreated', v: 1, data: { name: options.name(i), data: '' } };
    const metadata = { id: `c${i}`, actor: 'spec' };
    const { head } = await store.append(stream, [created], { expected: heads.get(stream) ?? emptyHead, metadata });
    heads.set(stream, head);
  }
}
