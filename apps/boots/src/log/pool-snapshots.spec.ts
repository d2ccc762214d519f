import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PoolCommand } from '@tinkerbell/domain';
import { type EventStore, InMemoryEventStore } from '@tinkerbell/event-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../logger';
import { LeasePool } from './lease-pool';
import { PoolSnapshots } from './pool-snapshots';

const now = '2026-01-01T00:00:00.000Z';
const address = (n: number) => `10.0.${n >> 8}.${n & 255}`;
const bind = (n: number): PoolCommand => ({
  ...{ type: 'BindLease', mac: `02-00-00-00-00-${n.toString(16).padStart(2, '0')}`, hardwareId: null, clientId: null },
  ...{ ip: address(n), subnet: 'fleet', origin: 'pool', hostname: '', leaseSeconds: 60, giaddr: null },
  ...{ clientState: 'selecting', now },
});

let folder = '';
let file = '';
let warned: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tink-snapshots-'));
  file = join(folder, 'lease-pool-default.snapshot');
  warned = [];
});
afterEach(() => rm(folder, { recursive: true }));

const snapshots = () =>
  new PoolSnapshots(folder, 'default', { ...silentLogger, warn: (text) => void warned.push(text) });
const start = (store: EventStore) => LeasePool.open(store, 'default', undefined, snapshots());

/** A run of boots that gives out some addresses and ends. */
async function run(store: EventStore, ...leases: readonly number[]): Promise<void> {
  const pool = await start(store);
  await pool.submit(leases.map(bind));
  await pool.close();
}

/** Says from where on the log was read. */
function watched(store: InMemoryEventStore) {
  const reads: number[] = [];
  const watching = Object.assign(Object.create(store) as InMemoryEventStore, {
    ...{ last: store.last.bind(store), lastPosition: store.lastPosition.bind(store), append: store.append.bind(store) },
    read: (...args: Parameters<EventStore['read']>) => store.read(...args),
    subscribe(options: Parameters<EventStore['subscribe']>[0]) {
      reads.push(options.after);
      return store.subscribe(options);
    },
  });
  return { store: watching, reads };
}

describe('a snapshot of a pool', () => {
  it('spares the next start what the log said before it', async () => {
    const log = new InMemoryEventStore();
    await run(log, ...Array.from({ length: 450 }, (_, n) => n));
    await run(log, 451);
    const { store, reads } = watched(log);
    const pool = await start(store);
    expect([pool.size, reads, warned]).toEqual([451, [], []]);
    expect(pool.holderOf(address(449), now)?.ip).toBe(address(449));
    await pool.close();
  });

  it('that is old is caught up with the log', async () => {
    const log = new InMemoryEventStore();
    await run(log, 1);
    const old = await readFile(file);
    await run(log, 2);
    await run(log, 3);
    await writeFile(file, old);
    const { store, reads } = watched(log);
    const pool = await start(store);
    expect([pool.size, reads, warned]).toEqual([3, [1, 1], []]);
    await expect(pool.submit([{ ...bind(4), ip: address(2) } as PoolCommand])).rejects.toThrow('is leased to');
    await pool.close();
  });

  it.each<[string, (bytes: Buffer) => Buffer | string, string]>([
    ['with one other character', (bytes) => Buffer.from(bytes).fill('7', 700, 701), 'damaged'],
    ['with a lease less', (bytes) => bytes.toString().replace(/\["02[^\]]*\],/, ''), 'damaged'],
    ['that was cut', (bytes) => bytes.subarray(0, bytes.length - 40), 'damaged'],
    ['that was cut at a line', (bytes) => bytes.subarray(0, bytes.lastIndexOf('sha256')), 'damaged'],
    ['that is empty', () => '', 'damaged'],
    ['of nothing but its end', (bytes) => bytes.subarray(bytes.lastIndexOf('sha256')), 'damaged'],
    ['of something else', () => '{}\n', 'no snapshot of a lease pool'],
    ['of another fold', (bytes) => bytes.toString().replace('"fold":1', '"fold":0'), 'of another version of boots (0'],
    [
      'of another pool',
      (bytes) => bytes.toString().replace('lease.default', 'lease.other'),
      'of tink.ev.default.lease.other',
    ],
  ])('%s is told and ignored', async (_, change, reason) => {
    const log = new InMemoryEventStore();
    await run(log, 1, 2, 3, 4, 5, 6);
    await writeFile(file, change(await readFile(file)));
    const pool = await start(log);
    expect(pool.size).toBe(6);
    expect(warned).toEqual([expect.stringContaining(`${file}: ${reason}`)]);
    await pool.close();
  });

  it('of another log is told and ignored, however long that is', async () => {
    for (const others of [[9], [9, 8], [9, 8, 7]]) {
      const log = new InMemoryEventStore();
      await run(new InMemoryEventStore(), 1);
      const saved = await readFile(file);
      await run(new InMemoryEventStore(), 1);
      for (const n of others) await run(log, n);
      await writeFile(file, saved);
      warned = [];
      const pool = await start(log);
      expect(pool.holderOf(address(1), now)).toBeUndefined();
      expect([pool.size, warned.length]).toEqual([others.length, 1]);
      await rm(file);
      await pool.close();
    }
  });

  it('that is ahead of a log that was set back is told and ignored', async () => {
    const log = new InMemoryEventStore();
    await run(log, 1);
    await run(log, 2);
    const pool = await start(new InMemoryEventStore());
    expect([pool.size, warned]).toEqual([0, [expect.stringContaining('not of this log')]]);
    await pool.close();
  });

  it('that cannot be written costs the next start its time only', async () => {
    await writeFile(join(folder, 'taken'), '');
    const nowhere = new PoolSnapshots(join(folder, 'taken'), 'default', {
      ...silentLogger,
      warn: (text) => void warned.push(text),
    });
    const log = new InMemoryEventStore();
    const pool = await LeasePool.open(log, 'default', undefined, nowhere);
    await pool.submit([bind(1)]);
    await pool.close();
    expect(warned.at(-1)).toContain('is not written, the next start takes longer');
  });
});
