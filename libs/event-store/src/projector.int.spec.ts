import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subjects } from '@tinkerbell/messaging';
import { startTestNats } from '@tinkerbell/nats';
import Database from 'better-sqlite3';
import { build } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { emptyHead } from './event-store';
import { InMemoryEventStore } from './in-memory';
import { JetStreamEventStore } from './jetstream';
import { openReadModels } from './projector';
import { fillLog, sampleRows } from './testing/sample-rows';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'tink-rows-'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
const projections = { rows: sampleRows };

/** testing/build-rows.ts as a program. */
async function bundledBuilder(): Promise<string> {
  const script = join(process.cwd(), '.cache', `build-rows-${process.pid}.cjs`); // finds node_modules from here
  cleanups.push(() => rmSync(script, { force: true }));
  await build({
    entryPoints: [join(__dirname, 'testing/build-rows.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    external: ['better-sqlite3', 'nats'],
    tsconfig: 'tsconfig.base.json',
    logLevel: 'error',
  });
  return script;
}

describe('read models', () => {
  it('are whole after kill -9 in the middle of building, again and again', async () => {
    const file = join(folder(), 'rows.db');
    const script = await bundledBuilder();
    const store = new InMemoryEventStore({ now: () => new Date(0) });
    await fillLog(store, { commits: 30_000, streams: 37, name: (i) => `n${i}` });
    let positions: readonly number[] = [];
    for (const hold of ['14000', '28000']) {
      const child = spawn(process.execPath, [script, file, hold], { stdio: ['ignore', 'ignore', 'inherit'] });
      const gone = once(child, 'exit');
      await expect
        .poll(() => checkpoint(file), { timeout: 120_000, interval: 1 })
        .toBeGreaterThan(positions.at(-1) ?? 0);
      child.kill('SIGKILL');
      await gone;
      positions = [...positions, whole(file)];
    }
    expect(positions[0]).toBeLessThan(30_000);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    const [survived, fresh] = await Promise.all([
      openReadModels({ store, file, projections }),
      openReadModels({ store, file: ':memory:', projections }),
    ]);
    expect(survived.position).toBe(30_000);
    expect(survived.models.rows.list()).toEqual(fresh.models.rows.list());
    expect(survived.models.rows.find('name:n29999')).toEqual(fresh.models.rows.find('name:n29999'));
    await Promise.all([survived.close(), fresh.close()]);
  });

  it('survive kill -9 while they are built anew beside those that answer', async () => {
    const file = join(folder(), 'rows.db');
    const script = await bundledBuilder();
    const store = new InMemoryEventStore({ now: () => new Date(0) });
    await fillLog(store, { commits: 20_000, streams: 37, name: (i) => `n${i}` });
    await (await openReadModels({ store, file, projections })).close();
    let reached = 0;
    for (const hold of ['9000', '18000']) {
      const child = spawn(process.execPath, [script, file, hold, 'rebuild'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const gone = once(child, 'exit');
      await expect.poll(() => checkpoint(file, 'building'), { timeout: 120_000, interval: 1 }).toBeGreaterThan(reached);
      child.kill('SIGKILL');
      await gone;
      reached = checkpoint(file, 'building');
      expect(checkpoint(file, 'served')).toBe(20_000);
    }
    expect(reached).toBeLessThan(20_000);
    const survived = await openReadModels({ store, file, projections });
    expect(survived.status()).toMatchObject([{ position: 20_000, rows: 37, building: expect.anything() }]);
    await expect.poll(() => survived.status()[0]?.building, { timeout: 120_000 }).toBeNull();
    const fresh = await openReadModels({ store, file: ':memory:', projections });
    expect(survived.models.rows.list()).toEqual(fresh.models.rows.list());
    expect(survived.models.rows.find('name:n19999')).toEqual(fresh.models.rows.find('name:n19999'));
    await Promise.all([survived.close(), fresh.close()]);
  });

  it('are built anew under load without a gap: nothing fails, nothing goes back, every write can be read', async () => {
    const nats = await startTestNats({ restart: false, syncInterval: '2m' });
    cleanups.push(() => nats.stop());
    const store = await JetStreamEventStore.connect({ ...nats.engine, name: 'spec' });
    cleanups.push(() => store.close());
    await fillLog(store, { commits: 1500, streams: 50, name: (i) => `n${i}` });
    const read = await openReadModels({ store, file: join(folder(), 'rows.db'), projections });
    cleanups.push(() => read.close());
    let ended = false;
    const count = { written: 0, read: 0 };
    const writer = async (w: number) => {
      let head = emptyHead;
      for (let i = 0; !ended; i++) {
        const created = { type: 'TemplateCreated', v: 1, data: { name: `w${w}-${i}`, data: '' } } as const;
        const metadata = { id: `w${w}-${i}`, actor: 'spec' };
        const stream = subjects.stream('template', `w${w}`);
        head = (await store.append(stream, [created], { expected: head, metadata })).head;
        expect(await read.waitFor(head.position, 120_000)).toBe(true);
        expect(read.models.rows.get(`w${w}`)).toMatchObject({ name: `w${w}-${i}`, commits: head.version });
        count.written++;
      }
    };
    const reader = async () => {
      for (let last = 0; !ended; count.read++) {
        const [status] = read.status();
        expect(read.position).toBeGreaterThanOrEqual(last);
        expect(status?.position).toBe(read.position);
        expect(read.models.rows.count()).toBeGreaterThanOrEqual(50);
        expect(read.models.rows.list({ limit: 50 })).toHaveLength(50);
        last = read.position;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const load = Promise.all([writer(0), writer(1), writer(2), reader()]);
    for (let round = 0; round < 3; round++) {
      const { written } = count;
      read.rebuild();
      expect(read.status()).toMatchObject([{ building: { position: 0 } }]);
      await Promise.race([load, expect.poll(() => read.status()[0]?.building, { timeout: 120_000 }).toBeNull()]);
      await Promise.race([load, expect.poll(() => count.written, { timeout: 120_000 }).toBeGreaterThan(written)]);
    }
    ended = true;
    await load;
    expect(count.read).toBeGreaterThan(10);
    await read.waitFor(await store.lastPosition(), 120_000);
    const fresh = await openReadModels({ store, file: ':memory:', projections });
    expect(read.models.rows.list()).toEqual(fresh.models.rows.list());
    await fresh.close();
  });

  it('follow JetStream across kill -9, and a rebuild from zero gives the same rows', async () => {
    const nats = await startTestNats({ restart: false });
    cleanups.push(() => nats.stop());
    const store = await JetStreamEventStore.connect({ ...nats.engine, name: 'spec' });
    cleanups.push(() => store.close());
    const live = await openReadModels({ store, file: join(folder(), 'rows.db'), projections });
    cleanups.push(() => live.close());
    await fillLog(store, {
      commits: 200,
      streams: 7,
      name: (i) => {
        if (i === 100) void nats.server.kill().then(() => nats.server.restart());
        return `n${i}`;
      },
    });
    expect(await live.waitFor(await store.lastPosition(), 120_000)).toBe(true);
    const fresh = await openReadModels({ store, file: ':memory:', projections });
    expect(fresh.models.rows.count()).toBe(7);
    expect(live.models.rows.list()).toEqual(fresh.models.rows.list());
    await fresh.close();
  });

  it.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')(
    'keep answering on a full disk and catch up when there is room',
    async () => {
      const dir = folder();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]);
      cleanups.push(() => void execFileSync('umount', ['-l', dir]));
      const lines: string[] = [];
      const store = new InMemoryEventStore();
      const read = await openReadModels({ store, file: join(dir, 'rows.db'), projections, log: (l) => lines.push(l) });
      cleanups.push(() => read.close());
      await fillLog(store, { commits: 400, streams: 400, name: (i) => `${i} ${'x'.repeat(10_000)}` });
      await expect.poll(() => lines.join()).toMatch(/cannot be written: .*full|disk I\/O/i);
      const stuck = read.position;
      expect(stuck).toBeLessThan(400);
      expect(read.models.rows.count()).toBe(stuck);
      execFileSync('mount', ['-o', 'remount,size=64m', dir]);
      expect(await read.waitFor(400, 60_000)).toBe(true);
      expect(read.models.rows.count()).toBe(400);
    },
  );
});

/** As another process sees it; 0 while there is no file. */
function checkpoint(file: string, role = 'served'): number {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
    const sql = 'SELECT coalesce(max(position), 0) FROM projections WHERE role = ?';
    return Number(db.prepare(sql).pluck().get(role));
  } catch {
    return 0; // not there yet, or locked while it is made
  } finally {
    db?.close();
  }
}

/** Rows, checkpoint and heads tell the same story; returns the checkpoint. */
function whole(file: string): number {
  const db = new Database(file);
  const tables = db.prepare(`SELECT count(*) FROM sqlite_master WHERE name = 'rows_sample_rows_1'`).pluck().get();
  if (tables === 0) return 0;
  const position = Number(db.prepare('SELECT coalesce(max(position), 0) FROM projections').pluck().get());
  const headPosition = Number(db.prepare('SELECT coalesce(max(position), 0) FROM heads').pluck().get());
  const rows = db.prepare<[], { row: string }>('SELECT row FROM rows_sample_rows_1').all();
  const newest = rows.map(({ row }) => Number((JSON.parse(row) as { name: string }).name.slice(1)) + 1);
  db.close();
  expect(headPosition).toBe(position);
  expect(Math.max(0, ...newest)).toBe(position);
  return position;
}
