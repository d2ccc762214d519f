import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConflictError,
  type Lease6Command,
  type PoolCommand,
  poolDecider,
  poolSaving,
  type PoolState,
} from '@tinkerbell/domain';
import { type EventStore, InMemoryEventStore } from '@tinkerbell/event-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../logger';
import { Lease6Pool } from './lease6-pool';
import { LeasePool } from './lease-pool';
import { PoolSnapshots } from './pool-snapshots';
import type { PoolPorts } from './shared-pool';
import { StreamWriter } from './stream-writer';

const now = '2026-01-01T00:00:00.000Z';
const hex = (n: number) => n.toString(16).padStart(2, '0');

interface Kind {
  readonly name: string;
  /** Commits of a first run that leases one address. */
  readonly commits: number;
  address(n: number): string;
  /** `client` asks for the address of number `n`. */
  bind(client: number, n?: number): PoolCommand | Lease6Command;
  open(store: EventStore, ports: PoolPorts): Promise<LeasePool | Lease6Pool>;
}

const ipv4: Kind = {
  ...{ name: 'default', commits: 1 },
  address: (n) => `10.0.${n >> 8}.${n & 255}`,
  bind: (client, n = client) => ({
    ...{ type: 'BindLease', mac: `02-00-00-00-00-${hex(client)}`, hardwareId: null, clientId: null },
    ...{ ip: ipv4.address(n), subnet: 'fleet', origin: 'pool', hostname: '', leaseSeconds: 60, giaddr: null },
    ...{ clientState: 'selecting', now },
  }),
  open: (store, ports) => LeasePool.open(store, 'default', ports),
};

const ipv6: Kind = {
  // The first one names the server.
  ...{ name: 'default-v6', commits: 2 },
  address: (n) => `fd00::${(n + 1).toString(16)}`,
  bind: (client, n = client) => ({
    type: 'BindAddress',
    holder: {
      ...{ mac: `02-00-00-00-00-${hex(client)}`, hardwareId: null, clientId: `0003${hex(client)}:00000001` },
      ...{ ip: ipv6.address(n), subnet: 'fleet', origin: 'pool' },
    },
    ...{ hostname: '', leaseSeconds: 60, giaddr: null, clientState: 'selecting', now },
  }),
  open: (store, ports) => Lease6Pool.open(store, 'default', { ...ports, pools: [] }),
};

let folder = '';
let warned: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tink-snapshots-'));
  warned = [];
});
afterEach(() => rm(folder, { recursive: true }));

const log = { ...silentLogger, warn: (text: string) => void warned.push(text) };

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

describe.each([ipv4, ipv6])('a snapshot of pool $name', ({ name, commits, address, bind, open }) => {
  const file = () => join(folder, `lease-pool-${name}.snapshot`);
  const start = (store: EventStore, saved = folder) => open(store, { saved: { folder: saved, log } });
  const submit = (pool: LeasePool | Lease6Pool, ...commands: readonly ReturnType<typeof bind>[]) =>
    (pool as { submit(of: readonly unknown[]): Promise<void> }).submit(commands);

  /** A run of boots that gives out some addresses and ends. */
  async function run(store: EventStore, ...leases: readonly number[]): Promise<void> {
    const pool = await start(store);
    await submit(pool, ...leases.map((n) => bind(n)));
    await pool.close();
  }

  it('spares the next start what the log said before it', async () => {
    const events = new InMemoryEventStore();
    await run(events, ...Array.from({ length: 450 }, (_, n) => n));
    await run(events, 451);
    const { store, reads } = watched(events);
    const pool = await start(store);
    expect([pool.size, reads, warned]).toEqual([451, [], []]);
    expect(pool.holderOf(address(449), now)?.ip).toBe(address(449));
    await pool.close();
  });

  it('that is old is caught up with the log', async () => {
    const events = new InMemoryEventStore();
    await run(events, 1);
    const old = await readFile(file());
    await run(events, 2);
    await run(events, 3);
    await writeFile(file(), old);
    const { store, reads } = watched(events);
    const pool = await start(store);
    expect([pool.size, reads, warned]).toEqual([3, [commits, commits], []]);
    await expect(submit(pool, bind(4, 2))).rejects.toThrow('is leased to');
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
    const events = new InMemoryEventStore();
    await run(events, 1, 2, 3, 4, 5, 6);
    await writeFile(file(), change(await readFile(file())));
    const pool = await start(events);
    expect(pool.size).toBe(6);
    expect(warned).toEqual([expect.stringContaining(`${file()}: ${reason}`)]);
    await pool.close();
  });

  it('of another log is told and ignored, however long that is', async () => {
    for (const others of [[9], [9, 8], [9, 8, 7]]) {
      const events = new InMemoryEventStore();
      await run(new InMemoryEventStore(), 1);
      const saved = await readFile(file());
      await run(new InMemoryEventStore(), 1);
      for (const n of others) await run(events, n);
      await writeFile(file(), saved);
      warned = [];
      const pool = await start(events);
      expect(pool.holderOf(address(1), now)).toBeUndefined();
      expect([pool.size, warned.length]).toEqual([others.length, 1]);
      await rm(file());
      await pool.close();
    }
  });

  it('that is ahead of a log that was set back is told and ignored', async () => {
    const events = new InMemoryEventStore();
    await run(events, 1);
    await run(events, 2);
    const pool = await start(new InMemoryEventStore());
    expect([pool.size, warned]).toEqual([0, [expect.stringContaining('not of this log')]]);
    await pool.close();
  });

  it('that cannot be written costs the next start its time only', async () => {
    await writeFile(join(folder, 'taken'), '');
    const pool = await start(new InMemoryEventStore(), join(folder, 'taken'));
    await submit(pool, bind(1));
    await pool.close();
    expect(warned.at(-1)).toContain('is not written, the next start takes longer');
  });
});

describe('a snapshot that is written while the pool goes on', () => {
  const stream = 'tink.ev.default.lease.default';
  const rowsOf = (state: PoolState) => [...poolSaving.leases(state)].map((row) => row.join(' ')).sort();
  const snapshots = () => new PoolSnapshots(folder, 'default', poolSaving, log);
  const writerOn = (store: EventStore) => new StreamWriter(store, poolDecider, stream, 'boots');

  /** Leases are moved, renewed, given back and made between its lines. */
  async function saved() {
    const events = new InMemoryEventStore();
    const writer = writerOn(events);
    for (let n = 0; n < 1000; n++) await writer.submit(ipv4.bind(n & 255, n) as PoolCommand);
    const before = writer.folded;
    const writing = snapshots().write(
      stream,
      before,
      () => writer.folded.head,
      () => false,
    );
    for (let n = 0; n < 1500; n++) {
      const command = ipv4.bind((n * 7) & 255, (n * 13) % 1200) as PoolCommand;
      await writer.submit(command).catch((error: unknown) => {
        // Another client has the address.
        if (!(error instanceof ConflictError)) throw error;
      });
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    return { events, writer, before };
  }

  it('leads to the same pool by the log', async () => {
    const { events, writer } = await saved();
    const next = writerOn(events);
    const read = await snapshots().read(stream);
    expect(read && (await next.resume(read, read.through))).toBe(true);
    await next.loadAll();
    expect(next.folded.head).toEqual(writer.folded.head);
    expect(rowsOf(next.state)).toEqual(rowsOf(writer.state));
  });

  it('is not believed where the log ends before what it may know of', async () => {
    const { events, before } = await saved();
    const cut = Object.assign(Object.create(events) as EventStore, {
      last: () => Promise.resolve({ head: before.head, commit: undefined }),
      subscribe: events.subscribe.bind(events),
    });
    const read = await snapshots().read(stream);
    expect(read?.head).toEqual(before.head);
    expect(read?.through.version).toBeGreaterThan(before.head.version);
    expect(read && (await writerOn(cut).resume(read, read.through))).toBe(false);
  });
});
