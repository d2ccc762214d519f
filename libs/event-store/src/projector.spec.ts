import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Recorded, type TemplateEvent, UnknownEventError } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredMessage } from './envelope';
import { IntegrityError } from './event-store';
import { InMemoryEventStore } from './in-memory';
import { openReadModels } from './projector';
import { created, deleted, names, type Row, updated, write } from './testing/template-names';

describe('read models', () => {
  let dir = '';
  let log: StoredMessage[] = [];
  let store: InMemoryEventStore;
  const open = (version = 1, file = join(dir, 'rows.db')) =>
    openReadModels({ store, file, projections: { templates: names(version) } });

  const sets = () => {
    const db = new Database(join(dir, 'rows.db'), { readonly: true });
    const found = db.prepare('SELECT built, version, role FROM projections ORDER BY id').all();
    const tables = db.prepare(`SELECT count(*) FROM sqlite_master WHERE name GLOB 'rows_*'`).pluck().get();
    db.close();
    expect(tables).toBe(found.length);
    return found;
  };

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
    expect(await waitFor(head.position, 30_000)).toBe(true);
    expect(models.templates.find('name:two')).toEqual({ name: 'two', version: 2 });
    expect(models.templates.find('name:one')).toBeUndefined();
    const gone = await write(store, 'a', deleted);
    await waitFor(gone.head.position, 30_000);
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
    await waitFor(head.position, 30_000);
    expect(seen).toEqual(['a=one', 'b=two']);
    off();
    await close();
  });

  it('pass on what they applied, in order, once it shows', async () => {
    await write(store, 'a', created('before'));
    const { models, waitFor, onCommits, close } = await open();
    const seen: (string | undefined)[] = [];
    const off = onCommits((commits) => {
      for (const { position, events } of commits) {
        const id = events[0]?.aggregateId ?? '';
        seen.push(`${position} ${events[0]?.event.type} ${models.templates.get(id)?.name}`);
      }
    });
    await write(store, 'b', created('two'));
    const { head } = await write(store, 'c', created('three'));
    await waitFor(head.position, 30_000);
    expect(seen).toEqual(['2 TemplateCreated two', '3 TemplateCreated three']);
    off();
    const { head: later } = await write(store, 'd', created('four'));
    await waitFor(later.position, 30_000);
    expect(seen).toHaveLength(2);
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
    await write(store, 'b', created('two'));
    await (await open()).close();
    // Were the first commit needed again, it would be missing.
    store = new InMemoryEventStore({ log: log.slice(1) });
    await write(store, 'b', updated('three'));
    const { models, close } = await open();
    expect(models.templates.list().map(({ name }) => name)).toEqual(['one', 'three']);
    await close();
  });

  it('are built anew beside the old ones when the version is raised, and swapped when that is done', async () => {
    await write(store, 'a', created('one'));
    await (await open(1)).close();
    // The new release dies in the middle of building: the old one finds everything as it was.
    const broken = { ...names(2), evolve: () => expect.fail('died') };
    await expect(
      openReadModels({ store, file: join(dir, 'rows.db'), projections: { templates: broken } }),
    ).rejects.toThrow('died');
    expect(sets()).toEqual([
      { built: 1, version: 1, role: 'served' },
      { built: 2, version: 2, role: 'building' },
    ]);
    store = new InMemoryEventStore({ log });
    const old = await open(1);
    expect(old.models.templates.get('a')?.name).toBe('one');
    await old.close();

    const raised = await open(2);
    expect(raised.models.templates.get('a')?.name).toBe('ONE');
    await raised.close();
    expect(sets()).toEqual([{ built: 2, version: 2, role: 'served' }]);
    const back = await open(1);
    expect(back.models.templates.get('a')?.name).toBe('one');
    await back.close();
  });

  it('keep rows and checkpoint together when a batch fails in its middle', async () => {
    for (const id of ['a', 'b']) await write(store, id, created(id));
    await (await open()).close();
    for (const id of ['c', 'd', 'e']) await write(store, id, created(id));
    const failing = {
      ...names(),
      evolve: (row: Row | undefined, r: Recorded<TemplateEvent>) =>
        r.aggregateId === 'd' ? expect.fail('died') : names().evolve(row, r),
    };
    const file = join(dir, 'rows.db');
    await expect(openReadModels({ store, file, projections: { templates: failing } })).rejects.toThrow('died');
    // c came before d in the same transaction: neither its row nor the checkpoint may be there.
    const db = new Database(file, { readonly: true });
    expect(db.prepare('SELECT key FROM rows_template_names_1 ORDER BY key').pluck().all()).toEqual(['a', 'b']);
    expect(db.prepare('SELECT position FROM projections').pluck().all()).toEqual([2]);
    expect(db.prepare('SELECT count(*) FROM heads').pluck().get()).toBe(2);
    db.close();
    const { models, close } = await open();
    expect(models.templates.list().map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await close();
  });

  it('are built anew when the file is damaged, no database, or of another log', async () => {
    await write(store, 'a', created('one'));
    const file = join(dir, 'rows.db');
    for (const content of ['no database', '']) {
      writeFileSync(file, content);
      const { models, close } = await open();
      expect(models.templates.get('a')?.name).toBe('one');
      await close();
    }
    for (let i = 0; i < 3; i++) await write(store, `x${i}`, created('x'));
    await (await open()).close();
    store = new InMemoryEventStore();
    await write(store, 'z', created('other'));
    const { models, position, close } = await open();
    expect(models.templates.list().map(({ name }) => name)).toEqual(['other']);
    expect(position).toBe(1);
    await close();
  });

  it('stop at an event that this release does not know, and say which', async () => {
    const { fault, models, close } = await open();
    await write(store, 'a', created('one'));
    const [first] = log;
    if (!first) throw new Error('nothing stored');
    const bytes = Buffer.from(Buffer.from(first.bytes).toString().replaceAll('TemplateCreated', 'TemplatePainted'));
    log.push({ ...first, position: 2, stream: subjects.stream('template', 'b'), bytes });
    await write(store, 'c', created('three'));
    const error = await fault;
    expect(error).toBeInstanceOf(UnknownEventError);
    expect(error.message).toContain('TemplatePainted version 1');
    expect(models.templates.get('c')).toBeUndefined();
    await close();
  });

  it('stop at a changed commit when its successor comes', async () => {
    await write(store, 'a', created('one'));
    const { fault, close } = await open();
    // Another history of the same stream: as many commits, other bytes.
    const other: StoredMessage[] = [];
    const elsewhere = new InMemoryEventStore({ log: other });
    await write(elsewhere, 'a', created('eno'));
    await write(elsewhere, 'a', updated('two'));
    log.push(...other.slice(1));
    await write(store, 'b', created('wake'));
    expect(await fault).toBeInstanceOf(IntegrityError);
    await close();
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

describe('rows that are built anew beside those that answer', () => {
  let dir = '';
  let log: StoredMessage[] = [];
  let store: InMemoryEventStore;
  const file = () => join(dir, 'rows.db');
  const open = (projection = names(1)) =>
    openReadModels({ store, file: file(), projections: { templates: projection } });
  const sets = () => {
    const db = new Database(file(), { readonly: true });
    const found = db.prepare('SELECT built, version, role FROM projections ORDER BY id').all();
    db.close();
    return found;
  };
  const tamper = (sql: string) => {
    const db = new Database(file());
    db.exec(sql);
    db.close();
  };

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tink-rows-'));
    log = [];
    store = new InMemoryEventStore({ log });
    for (let i = 0; i < 1200; i++) await write(store, `t${i}`, created(`n${i}`));
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const built = (read: Awaited<ReturnType<typeof open>>) =>
    expect.poll(() => read.status()[0]?.building, { interval: 1 }).toBeNull();

  it('answer from the old rows meanwhile, and follow the log; then all that differed is told', async () => {
    await (await open()).close();
    tamper(`UPDATE rows_template_names_1 SET row = '{"name":"wrong","version":1}' WHERE key = 't7'`);
    tamper(`DELETE FROM rows_template_names_1 WHERE key = 't8'`);
    const read = await open();
    const told = new Map<string, string | undefined>();
    read.models.templates.onChange((changed) => changed.forEach(({ key, row }) => told.set(key, row?.name)));
    expect(read.models.templates.get('t7')?.name).toBe('wrong');
    read.rebuild(['template-names']);
    read.rebuild();
    const { head } = await write(store, 'live', created('live'));
    expect(await read.waitFor(head.position, 30_000)).toBe(true);
    expect(read.models.templates.get('live')?.name).toBe('live');
    await built(read);
    expect(read.models.templates.get('t7')?.name).toBe('n7');
    expect(read.models.templates.find('name:n8')?.name).toBe('n8');
    expect(read.models.templates.count()).toBe(1201);
    expect(read.position).toBe(1201);
    await expect.poll(() => [told.get('t7'), told.get('t8')]).toEqual(['n7', 'n8']);
    await expect.poll(sets).toEqual([{ built: 1, version: 1, role: 'served' }]);
    await write(store, 't7', updated('after'));
    await read.waitFor(1202, 30_000);
    expect(read.models.templates.find('name:after')?.version).toBe(2);
    await read.close();
  });

  it('serve those of a version that today’s code can go on with, until the new ones are there', async () => {
    await (await open()).close();
    await write(store, 't1', updated('while away'));
    const read = await open({ ...names(2), continues: [1] });
    expect(read.status()).toMatchObject([{ version: 2, served: 1, position: 1201 }]);
    expect(read.models.templates.get('t0')?.name).toBe('n0');
    await built(read);
    expect(read.models.templates.get('t0')?.name).toBe('N0');
    expect(read.status()).toMatchObject([{ version: 2, served: 2, position: 1201, rows: 1200 }]);
    await read.close();
  });

  it('are not taken by the release before, when this one went on with its rows', async () => {
    await (await open()).close();
    const raised = await open({ ...names(2), continues: [1] });
    await raised.close();
    const back = await open();
    expect(back.models.templates.get('t0')?.name).toBe('n0');
    expect(back.status()).toMatchObject([{ version: 1, served: 1, building: null }]);
    await back.close();
  });

  it('go on where they were after a restart in the middle', async () => {
    await (await open()).close();
    const read = await open();
    read.rebuild();
    await read.close();
    const again = await open();
    expect(again.models.templates.count()).toBe(1200);
    await built(again);
    expect(sets().at(-1)).toEqual({ built: 1, version: 1, role: 'served' });
    await again.close();
  });

  it('leave the old ones answering when they cannot be built, and say why', async () => {
    await (await open()).close();
    const bad = { ...names(2), continues: [1], evolve: () => expect.fail('cannot be') };
    const read = await open(bad);
    await built(read);
    expect(read.status()).toMatchObject([{ served: 1, building: null, failure: 'cannot be' }]);
    expect(read.models.templates.get('t0')?.name).toBe('n0');
    expect(() => read.rebuild(['nothing'])).toThrow('no read model nothing: there are template-names');
    await read.close();
  });
});
