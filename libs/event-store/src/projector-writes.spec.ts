import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InMemoryEventStore } from './in-memory';
import { openReadModels } from './projector';
import { created, deleted, names, updated, write } from './testing/template-names';

describe('read models', () => {
  let dir = '';
  let store: InMemoryEventStore;
  const open = () => openReadModels({ store, file: join(dir, 'rows.db'), projections: { templates: names() } });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tink-rows-'));
    store = new InMemoryEventStore();
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const stored = () => {
    const db = new Database(join(dir, 'rows.db'), { readonly: true });
    const position = db.prepare('SELECT position FROM projections').pluck().get();
    db.close();
    return position;
  };

  it('show what comes at once, and write it together a little later, or for who looks it up in the file', async () => {
    const { models, onCommits, status, close } = await open();
    const shown: number[] = [];
    onCommits((commits) => shown.push(commits.length));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await write(store, 'a', created('one'));
      await turns();
      await write(store, 'a', updated('two'));
      await write(store, 'b', created('two'));
      await turns();
      expect(shown.reduce((sum, count) => sum + count, 0)).toBe(3);
      expect(models.templates.get('a')).toEqual({ name: 'two', version: 2 });
      expect(models.templates.findAll('name:two').map(({ version }) => version)).toEqual([2, 1]);
      expect(models.templates.findAll('name:one')).toEqual([]);
      expect(models.templates.find('name:two')?.version).toBe(2);
      expect(models.templates.find('name:one')).toBeUndefined();
      expect(stored()).toBe(0);
      await vi.advanceTimersByTimeAsync(1000);
      expect(stored()).toBe(3);
      await write(store, 'a', deleted);
      await write(store, 'c', created('two'));
      await turns();
      expect(models.templates.get('a')).toBeUndefined();
      expect(models.templates.findAll('name:two').map(({ name }) => name)).toEqual(['two', 'two']);
      expect(stored()).toBe(3);
      expect(models.templates.list().map(({ name }) => name)).toEqual(['two', 'two']);
      expect(stored()).toBe(5);
      for (const look of [
        () => expect(models.templates.entries()).toHaveLength(3),
        () => expect(models.templates.entry('d')?.row.name).toBe('new'),
        () => expect(models.templates.count()).toBe(3),
        () => expect(status()[0]).toMatchObject({ position: 9, rows: 3 }),
      ]) {
        const { head } = await write(store, 'd', updated('new'));
        await turns();
        expect(stored()).toBe(head.position - 1);
        look();
        expect(stored()).toBe(head.position);
      }
    } finally {
      vi.useRealTimers();
    }
    await close();
  });

  it('are stored when they are closed, and after so many commits', async () => {
    const { close } = await open();
    for (let i = 0; i < 300; i++) await write(store, `t${i % 10}`, i < 10 ? created('x') : updated(`n${i}`));
    await turns();
    expect(stored()).toBeGreaterThanOrEqual(256);
    await close();
    expect(stored()).toBe(300);
  });

  it('say while nothing can be written how far they are written, and go on from there', async () => {
    const { models, waitFor, close } = await open();
    await write(store, 'a', created('one'));
    await turns();
    expect(models.templates.count()).toBe(1);
    const { head } = await write(store, 'a', updated('two'));
    expect(await waitFor(head.position, 30_000)).toBe(true);
    const full = vi.spyOn(Database.prototype, 'transaction').mockImplementation(() => {
      throw new Database.SqliteError('database or disk is full', 'SQLITE_FULL');
    });
    expect(() => models.templates.list()).toThrow('disk is full');
    expect(await waitFor(head.position, 0)).toBe(false);
    expect(models.templates.list()).toEqual([{ name: 'one', version: 1 }]);
    full.mockRestore();
    expect(await waitFor(head.position, 30_000)).toBe(true);
    expect(models.templates.list()).toEqual([{ name: 'two', version: 2 }]);
    await close();
  });

  it('are found by what they have, whatever they had since they were written or looked up last', async () => {
    const { models, close } = await open();
    const found = () =>
      ['one', 'two', 'three'].map((name) => models.templates.findAll(`name:${name}`).map((row) => row.version));
    await write(store, 'a', created('one'));
    await turns();
    expect(found()).toEqual([[1], [], []]);
    for (const event of [updated('two'), updated('three'), updated('one')]) await write(store, 'a', event);
    await write(store, 'b', created('two'));
    await write(store, 'b', deleted);
    await turns();
    expect(found()).toEqual([[4], [], []]);
    for (const event of [deleted, created('three')]) await write(store, 'a', event);
    await write(store, 'b', created('two'));
    await turns();
    const unwritten = found();
    expect(unwritten).toEqual([[], [1], [1]].map((versions) => versions.map(() => expect.any(Number) as number)));
    models.templates.list();
    expect(found()).toEqual(unwritten);
    await close();
  });

  it('are asked once a write what they are found by while nobody looks them up', async () => {
    for (let i = 0; i < 300; i++) await write(store, 'a', i === 0 ? created('x') : updated(`n${i}`));
    const { lookups, ...rest } = names();
    const asked = vi.fn(lookups ?? (() => []));
    const projections = { templates: { ...rest, lookups: asked } };
    const { models, close } = await openReadModels({ store, file: join(dir, 'rows.db'), projections });
    expect(asked.mock.calls.length).toBeLessThan(10);
    expect(models.templates.find('name:n299')?.version).toBe(300);
    await close();
  });
});
