import { type LeaseCommand, leaseDecider } from '@tinkerbell/domain';
import { ConcurrencyError, type EventStore, InMemoryEventStore, StoreUnavailableError } from '@tinkerbell/event-store';
import { describe, expect, it } from 'vitest';
import { StreamWriter } from './stream-writer';

const stream = 'tink.ev.default.lease.default';
const holder = (n: number) => ({
  ...{ mac: `02-00-00-00-00-0${n}`, hardwareId: `h${n}`, clientId: null },
  ...{ ip: `10.0.0.${n}`, subnet: '', origin: 'reservation' as const },
});
const bind = (n: number, over: { ip?: string; leaseSeconds?: number } = {}): LeaseCommand => ({
  type: 'BindLease',
  ...holder(n),
  hostname: '',
  leaseSeconds: 60,
  giaddr: null,
  clientState: 'selecting',
  now: '2026-01-01T00:00:00.000Z',
  ...over,
});

function writerOn(store: EventStore) {
  return new StreamWriter(store, leaseDecider, stream, 'boots');
}

/** Appends wait until let go, so that a test decides what meets in one commit; `fail` makes the next one throw. */
function slowStore() {
  const inner = new InMemoryEventStore();
  const gates: (() => void)[] = [];
  let fail: Error | undefined;
  const append: EventStore['append'] = async (...args) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    const error = fail;
    fail = undefined;
    if (error) throw error;
    return inner.append(...args);
  };
  const store = Object.assign(Object.create(inner) as EventStore, {
    append,
    read: inner.read.bind(inner),
  });
  const isUnderWay = async () => {
    while (gates.length === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    ...{ store, inner, isUnderWay },
    failNext: (error: Error) => (fail = error),
    async letGo() {
      await isUnderWay();
      gates.shift()?.();
    },
  };
}

describe('StreamWriter', () => {
  it('puts what somebody else wants into commits of its own, in his name', async () => {
    const { store, inner, letGo, isUnderWay } = slowStore();
    const writer = writerOn(store);
    const ofAnn = (command: LeaseCommand) =>
      new Promise<unknown>((resolve) => writer.put([command], resolve, 'user:ann')).then((error) =>
        expect(error).toBeUndefined(),
      );
    const all = [writer.submit(bind(1)), ofAnn(bind(2)), ofAnn(bind(3))];
    all.push(writer.submit(bind(4)));
    for (let commit = 0; commit < 3; commit++) {
      await isUnderWay();
      await letGo();
    }
    await Promise.all(all);
    const { events } = await inner.read(stream);
    expect(events.map(({ metadata, position }) => `${position} ${metadata.actor}`)).toEqual([
      ...['1 boots', '2 user:ann', '2 user:ann', '3 boots'],
    ]);
  });

  it('puts what arrives in one turn into one commit, and what arrives while that is on its way into the next', async () => {
    const { store, inner, letGo, isUnderWay } = slowStore();
    const writer = writerOn(store);
    const first = Promise.all([writer.submit(bind(1)), writer.submit(bind(6))]);
    await isUnderWay();
    const others = [2, 3, 4, 5].map((n) => writer.submit(bind(n)));
    await letGo();
    await first;
    await letGo();
    await Promise.all(others);
    const { events } = await inner.read(stream);
    expect(events.map(({ version }) => version)).toEqual([1, 1, 2, 2, 2, 2]);
    expect(writer.state.book.size).toBe(6);
  });

  it('has the next commit on its way before it tells who waited for the last, and stores what those ask for then', async () => {
    const { store, letGo, isUnderWay } = slowStore();
    const writer = writerOn(store);
    const told: string[] = [];
    writer.put([bind(1)], () => {
      told.push(`1 of ${writer.state.book.size}`);
      writer.put([bind(3)], () => told.push(`3 of ${writer.state.book.size}`));
    });
    await isUnderWay();
    writer.put([bind(2)], () => told.push(`2 of ${writer.state.book.size}`));
    await letGo();
    await isUnderWay();
    expect(told).toEqual(['1 of 1']);
    await letGo();
    await letGo();
    await expect.poll(() => told).toEqual(['1 of 1', '2 of 2', '3 of 3']);
  });

  it('refuses one command without harm to those beside it', async () => {
    const { store, inner, letGo } = slowStore();
    const writer = writerOn(store);
    const results = Promise.allSettled([
      writer.submit(bind(1)),
      writer.submit(bind(2)),
      writer.submit(bind(3, { ip: '10.0.0.1' })),
      writer.submit(bind(4)),
    ]);
    await letGo();
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect((await inner.read(stream)).events).toHaveLength(3);
  });

  it('keeps commands that belong together: all or none', async () => {
    const writer = writerOn(new InMemoryEventStore());
    await writer.submit(bind(1));
    await expect(writer.submit({ type: 'ReleaseLease', ...holder(1) }, bind(2, { leaseSeconds: 0 }))).rejects.toThrow();
    expect(writer.state.book.get(holder(1).ip)?.state).toBe('bound');
  });

  it('does not resolve what was not stored, and reads the stream again afterwards', async () => {
    const { store, failNext, letGo } = slowStore();
    const writer = writerOn(store);
    failNext(new StoreUnavailableError('no answer'));
    const lost = writer.submit(bind(1));
    await letGo();
    await expect(lost).rejects.toThrow(StoreUnavailableError);
    expect(writer.state.book.size).toBe(0);
    const again = writer.submit(bind(1));
    await letGo();
    await again;
    expect(writer.state.book.size).toBe(1);
  });

  it('takes over from another writer that came in between', async () => {
    const log = new InMemoryEventStore();
    const [one, other] = [writerOn(log), writerOn(log)];
    await one.submit(bind(1));
    await other.submit(bind(2));
    await one.submit(bind(3));
    expect(one.state.book.size).toBe(3);
    expect((await log.read(stream)).head.version).toBe(3);
  });

  it('gives up after three lost races', async () => {
    const { store, letGo, failNext } = slowStore();
    const result = writerOn(store).submit(bind(1));
    result.catch(() => undefined);
    for (let i = 0; i < 3; i++) {
      failNext(new ConcurrencyError(stream, 0, 1));
      await letGo();
    }
    await expect(result).rejects.toThrow(ConcurrencyError);
  });
});
