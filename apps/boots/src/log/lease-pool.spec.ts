import type { PoolCommand } from '@tinkerbell/domain';
import { type EventStore, InMemoryEventStore, StoreUnavailableError } from '@tinkerbell/event-store';
import type { Lease as Held } from '@tinkerbell/messaging';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../logger';
import { LeasePool } from './lease-pool';
import { type PoolPost, StandbyError } from './pool-terms';

const stream = 'tink.ev.default.lease.default';
const now = '2026-01-01T00:00:00.000Z';
const bind = (n: number, ip = `10.0.0.${n}`): PoolCommand => ({
  ...{ type: 'BindLease', mac: `02-00-00-00-00-0${n}`, hardwareId: `h${n}`, ip, hostname: '' },
  ...{ clientId: null, subnet: '', origin: 'reservation' },
  ...{ leaseSeconds: 60, giaddr: null, clientState: 'selecting', now },
});
const pools: LeasePool[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())).then(() => undefined));

/** Says who is active as the spec wants it, and can let two believe that they are. */
function office() {
  let work: ((held: Held) => Promise<void>) | undefined;
  let running: Promise<void> = Promise.resolve();
  let lost = new AbortController();
  const end = async () => {
    lost.abort();
    await running;
  };
  const leadership: PoolPost['leadership'] = {
    run(_name, given) {
      work = given;
      return { close: end };
    },
  };
  return {
    leadership,
    /** `isHeld` false: its time is over and it does not know, as after SIGSTOP. */
    clock: { isHeld: true },
    give(epoch: number) {
      lost = new AbortController();
      const { signal } = lost;
      running = work?.({ epoch, signal, isHeld: () => !signal.aborted && this.clock.isHeld }) ?? running;
    },
    end,
    /** The term ended by itself. */
    over: () => running,
  };
}

async function instance(store: EventStore, address: string) {
  const post = office();
  const { leadership } = post;
  const pool = await LeasePool.open(store, 'default', { post: { leadership, address, log: silentLogger } });
  pools.push(pool);
  return { pool, ...post, post };
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

async function active(store: EventStore, address: string, epoch: number) {
  const made = await instance(store, address);
  made.post.give(epoch);
  await until(() => made.pool.isActive);
  return made;
}

const leases = async (store: EventStore) =>
  (await store.read(stream)).events.map(({ event }) =>
    event.type === 'PoolTaken' ? 'taken' : String(Object(event.data).ip),
  );

describe('a lease pool with more than one instance', () => {
  it('is answered for by nobody who stands by', async () => {
    const store = new InMemoryEventStore();
    const { pool } = await instance(store, '10.0.0.201');
    expect(pool.role).toEqual({ pool: 'default', role: 'standby', active: undefined });
    await expect(pool.submit([bind(1)])).rejects.toThrow(StandbyError);
    expect(await leases(store)).toEqual([]);
  });

  it('lies folded at the standby, which goes on where the active one ended', async () => {
    const store = new InMemoryEventStore();
    const first = await active(store, '10.0.0.201', 1);
    const second = await instance(store, '10.0.0.202');
    await first.pool.submit([bind(1)]);
    await until(() => second.pool.size === 1);
    expect(second.pool.role).toEqual({ pool: 'default', role: 'standby', active: '10.0.0.201' });
    await first.end();
    expect(first.pool.isActive).toBe(false);
    second.post.give(2);
    await until(() => second.pool.isActive);
    await expect(second.pool.submit([bind(2, '10.0.0.1')])).rejects.toThrow('10.0.0.1 is leased to 02:00:00:00:00:01');
    await second.pool.submit([bind(2)]);
    await until(() => first.pool.size === 2);
    expect(first.pool.role.active).toBe('10.0.0.202');
    expect(await leases(store)).toEqual(['taken', '10.0.0.1', 'taken', '10.0.0.2']);
  });

  it('is answered for only when what has to be done before is done, with the leases as they are by then', async () => {
    const store = new InMemoryEventStore();
    const first = await active(store, '10.0.0.201', 1);
    const second = await instance(store, '10.0.0.202');
    let finish: () => void = () => undefined;
    const prepared: number[] = [];
    second.pool.beforeActive(() => {
      prepared.push(second.pool.size);
      return new Promise((resolve) => (finish = resolve));
    });
    await first.pool.submit([bind(1)]);
    await first.end();
    second.post.give(2);
    await until(() => prepared.length > 0);
    expect(prepared).toEqual([1]);
    expect(second.pool.isActive).toBe(false);
    await expect(second.pool.submit([bind(2)])).rejects.toThrow(StandbyError);
    finish();
    await until(() => second.pool.isActive);
    expect(await leases(store)).toEqual(['taken', '10.0.0.1', 'taken']);
  });

  it('stores nothing of one that still believes to be active, though nothing was leased since the other took over', async () => {
    const store = new InMemoryEventStore();
    const stopped = await active(store, '10.0.0.201', 1);
    await stopped.pool.submit([bind(1)]);
    const other = await active(store, '10.0.0.202', 2);
    // It was stopped, goes on, and its clock has not told it yet.
    await expect(stopped.pool.submit([bind(2)])).rejects.toThrow('is at');
    await stopped.post.over();
    expect(stopped.pool.isActive).toBe(false);
    await expect(stopped.pool.submit([bind(3)])).rejects.toThrow(StandbyError);
    await other.pool.submit([bind(4)]);
    expect(await leases(store)).toEqual(['taken', '10.0.0.1', 'taken', '10.0.0.4']);
    await until(() => stopped.pool.size === 2);
  });

  it('does not let an answer leave whose commit was stored in time, but that is late itself', async () => {
    const store = new InMemoryEventStore();
    const slow = Object.assign(Object.create(store) as InMemoryEventStore, {
      append: async (...args: Parameters<EventStore['append']>) => {
        const appended = await store.append(...args);
        if (args[1].some(({ type }) => type === 'LeaseBound')) first.clock.isHeld = false;
        return appended;
      },
      read: store.read.bind(store),
      subscribe: store.subscribe.bind(store),
      lastPosition: store.lastPosition.bind(store),
    });
    const first: Awaited<ReturnType<typeof active>> = await active(slow, '10.0.0.201', 1);
    await expect(first.pool.submit([bind(1)])).rejects.toThrow(StandbyError);
    expect(await leases(store)).toEqual(['taken', '10.0.0.1']);
  });

  it('ends a term with the first commit of which nobody knows, and begins a new one with what is stored', async () => {
    const store = new InMemoryEventStore();
    let lose = true;
    const lossy = Object.assign(Object.create(store) as InMemoryEventStore, {
      append: async (...args: Parameters<EventStore['append']>) => {
        const appended = await store.append(...args);
        if (args[1].every(({ type }) => type !== 'LeaseBound') || !lose) return appended;
        lose = false;
        throw new StoreUnavailableError('no answer');
      },
      read: store.read.bind(store),
      subscribe: store.subscribe.bind(store),
      lastPosition: store.lastPosition.bind(store),
    });
    const only = await active(lossy, '10.0.0.201', 1);
    await expect(only.pool.submit([bind(1)])).rejects.toThrow(StoreUnavailableError);
    await only.post.over();
    only.post.give(2);
    await until(() => only.pool.isActive);
    expect(only.pool.holderOf('10.0.0.1', now)?.mac).toBe('02-00-00-00-00-01');
    await only.pool.submit([bind(2)]);
    expect(await leases(store)).toEqual(['taken', '10.0.0.1', 'taken', '10.0.0.2']);
    expect(only.pool.takeovers).toBe(2);
  });
});

describe('a lease pool with one instance', () => {
  it('is active without asking anybody, and says so', async () => {
    const store = new InMemoryEventStore();
    const pool = await LeasePool.open(store, 'default');
    pools.push(pool);
    await pool.submit([bind(1)]);
    expect(pool.role).toEqual({ pool: 'default', role: 'active', active: undefined });
    expect(await leases(store)).toEqual(['10.0.0.1']);
  });
});
