import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TemplateEvent } from '@tinkerbell/events';
import type { Projection } from '@tinkerbell/projections';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredMessage } from './envelope';
import { IntegrityError } from './event-store';
import { InMemoryEventStore } from './in-memory';
import { openReadModels } from './projector';

interface Row {
  readonly name: string;
  readonly version: number;
}

const names = (version = 1): Projection<TemplateEvent, Row> => ({
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

const write = async (store: InMemoryEventStore, id: string, event: TemplateEvent) => {
  const stream = subjects.stream('template', id);
  const { head } = await store.read(stream);
  return store.append(stream, [event], { expected: head, metadata: { id: crypto.randomUUID(), actor: 'test' } });
};
const created = (name: string): TemplateEvent => ({ type: 'TemplateCreated', v: 1, data: { name, data: '' } });
const updated = (name: string): TemplateEvent => ({ type: 'TemplateUpdated', v: 1, data: { name, data: '' } });
const deleted: TemplateEvent = { type: 'TemplateDeleted', v: 1, data: {} };

describe('read models', () => {
  let dir = '';
  let log: StoredMessage[] = [];
  let store: InMemoryEventStore;
  const open = (version = 1, file = join(dir, 'rows.db')) =>
    openReadModels({ store, file, projections: { templates: names(version) } });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tink-rows-'));
    log = [];
    store = new InMemoryEventStore({ log });
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('have caught up when they open, and follow', async () => {
    await write(store, 'a', created('one'));
    const { models, waitFor, close } = await open();
    expect(models.templates.get('a')).toEqual({ name: 'one', version: 1 });
    const { head } = await write(store, 'a', updated('two'));
    expect(await waitFor(head.position, 5000)).toBe(true);
    expect(models.templates.find('name:two')).toEqual({ name: 'two', version: 2 });
    expect(models.templates.find('name:one')).toBeUndefined();
    const gone = await write(store, 'a', deleted);
    await waitFor(gone.head.position, 5000);
    expect(models.templates.list()).toEqual([]);
    expect(models.templates.findAll('name:two')).toEqual([]);
    expect(await waitFor(gone.head.position + 1, 10)).toBe(false);
    await close();
  });

  it('tell what changed, each row once', async () => {
    const { models, waitFor, close } = await open();
    const seen: string[] = [];
    const off = models.templates.onChange((changed) =>
      seen.push(...changed.map(({ key, row }) => `${key}=${row?.name}`)),
    );
    await write(store, 'a', created('one'));
    const { head } = await write(store, 'b', created('two'));
    await waitFor(head.position, 5000);
    expect(seen).toEqual(['a=one', 'b=two']);
    off();
    await close();
  });

  it('list in key order, page by page', async () => {
    for (const id of ['c', 'a', 'b']) await write(store, id, created(id));
    const { models, close } = await open();
    expect(models.templates.list({ limit: 2 }).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(models.templates.list({ after: 'b' }).map(({ name }) => name)).toEqual(['c']);
    expect(models.templates.count()).toBe(3);
    await close();
  });

  it('are the same rows when built from zero', async () => {
    for (let i = 0; i < 50; i++)
      await write(store, `t${i % 7}`, i < 7 ? created(`n${i}`) : i === 20 ? deleted : updated(`n${i}`));
    const first = await open();
    const rows = first.models.templates.list();
    await first.close();
    const again = await open(1, join(dir, 'other.db'));
    expect(again.models.templates.list()).toEqual(rows);
    await again.close();
  });

  it('go on after their checkpoint and do not read what is before it', async () => {
    await write(store, 'a', created('one'));
    await (await open()).close();
    // Were the first commit read again, its rows would be projected from this changed copy.
    const [first] = log;
    if (!first) throw new Error('nothing stored');
    log[0] = { ...first, bytes: new TextEncoder().encode('not a commit') };
    store = new InMemoryEventStore({ log: log.slice(1) });
    const { models, close } = await open();
    expect(models.templates.get('a')?.name).toBe('one');
    await close();
  });

  it('are built anew when the version is raised, and the old tables go', async () => {
    await write(store, 'a', created('one'));
    await (await open(1)).close();
    const raised = await open(2);
    expect(raised.models.templates.get('a')?.name).toBe('ONE');
    await raised.close();
    const back = await open(1);
    expect(back.models.templates.get('a')?.name).toBe('one');
    await back.close();
  });

  it('stop at a hole in the log instead of showing what is not true', async () => {
    await write(store, 'a', created('one'));
    await write(store, 'a', updated('two'));
    await write(store, 'a', updated('three'));
    log.splice(1, 1);
    store = new InMemoryEventStore({ log });
    await expect(open()).rejects.toThrow(IntegrityError);
  });
});
