import { JetStreamEventStore } from '@tinkerbell/event-store';
import {
  type Candidacy,
  Leadership,
  type Lease,
  NatsBus,
  ReportsTakenOverError,
  subjects,
} from '@tinkerbell/messaging';
import { ensureStreams, startTestCluster, type TestCluster } from '@tinkerbell/nats';
import { hardwareRegistered } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

let cluster: TestCluster;
let bus: NatsBus;
const buses: NatsBus[] = [];
beforeAll(async () => {
  cluster = await startTestCluster();
  bus = await NatsBus.connect({ ...cluster.engine, name: 'test' });
  // At once: the cluster has not elected anybody yet.
  await ensureStreams(bus.connection, { replicas: 3 });
});
afterEach(async () => {
  await Promise.all(buses.splice(0).map((other) => other.close()));
});
afterAll(async () => {
  await bus?.close();
  await cluster?.stop();
});

async function connect(name: string): Promise<NatsBus> {
  const other = await NatsBus.connect({ ...cluster.engine, name });
  buses.push(other);
  return other;
}

describe('a cluster of three', () => {
  it('holds the log in three copies, each written through', async () => {
    const store = await JetStreamEventStore.fromConnection(bus.connection, cluster.engine);
    expect(store.facts).toMatchObject({ replicas: 3, durability: 'fsync-each', serversAsked: 3 });
    const { config } = await (await bus.connection.jetstreamManager()).streams.info('TINK_EV');
    expect(config.compression).toBe('none');
    await expect(ensureStreams(bus.connection, { replicas: 1 })).rejects.toThrow(
      /num_replicas: expected 1, found 3.*nothing was changed/,
    );
  });

  it('goes on while any one server is down, and loses nothing', async () => {
    const store = await JetStreamEventStore.fromConnection(bus.connection, {
      ...cluster.engine,
      patienceMs: 60_000,
      attemptMs: 1_000,
    });
    const stream = subjects.stream('hardware', 'survivor');
    for (const [i, server] of cluster.servers.entries()) {
      await server.kill();
      const { head } = await store.read(stream);
      await store.append(stream, [hardwareRegistered()], { expected: head, metadata: { id: `s-${i}`, actor: 'test' } });
      await server.restart();
    }
    expect((await store.read(stream)).events).toHaveLength(3);
  });
});

describe('leadership', () => {
  const ttlMs = 3_000;

  it('has one holder at a time; the next one takes over with a higher epoch when it is given back', async () => {
    const terms: { readonly name: string; readonly epoch: number }[] = [];
    let active = 0;
    const work =
      (name: string) =>
      async ({ signal, epoch }: Lease) => {
        expect(++active).toBe(1);
        terms.push({ name, epoch });
        await aborted(signal);
        active--;
      };
    const candidates = new Map<string, Candidacy>();
    for (const name of ['a', 'b', 'c']) {
      const { connection } = await connect(name);
      candidates.set(name, new Leadership(connection, { ttlMs }).run('one', work(name)));
    }
    // Whoever holds it goes, until nobody is left.
    for (let term = 1; candidates.size > 0; term++) {
      await until(() => terms.length >= term);
      const holder = terms[term - 1]?.name ?? '';
      await candidates.get(holder)?.close();
      candidates.delete(holder);
    }
    expect(terms.map(({ epoch }) => epoch)).toEqual(terms.map((_, i) => i + 1));
    expect(terms.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c']);
  });

  it('is taken over from a holder that vanished', async () => {
    const first = await connect('first');
    const second = await connect('second');
    const held: string[] = [];
    const endings: string[] = [];
    const work = (name: string) => async (lease: Lease) => {
      held.push(name);
      await aborted(lease.signal);
      endings.push(name);
    };
    const lost = new Leadership(first.connection, { ttlMs }).run('vanish', work('first'));
    await until(() => held.includes('first'));
    const kept = new Leadership(second.connection, { ttlMs }).run('vanish', work('second'));
    // Closed without giving anything back.
    await first.connection.close();
    await until(() => held.includes('second'));
    expect(endings).toEqual(['first']); // it had stopped before the other began
    await kept.close();
    await lost.close();
  });

  it('goes to nobody who is not ready; who never will be ends by himself', async () => {
    const held: string[] = [];
    const work = (name: string) => async (lease: Lease) => {
      held.push(`${name} ${lease.epoch}`);
      await aborted(lease.signal);
    };
    let becomesReady = () => {};
    const ready = new Promise<void>((resolve) => (becomesReady = resolve));
    const leadership = async (name: string) => new Leadership((await connect(name)).connection, { ttlMs });
    const slow = (await leadership('slow')).run('ready', work('slow'), ready);
    const hopeless = (await leadership('hopeless')).run(
      'ready',
      work('hopeless'),
      Promise.reject(new Error('on purpose')),
    );
    const quick = (await leadership('quick')).run('ready', work('quick'));
    await until(() => held.length > 0);
    await quick.close();
    becomesReady();
    await until(() => held.length > 1);
    await slow.close();
    await hopeless.close();
    expect(held).toEqual(['quick 1', 'slow 2']);
  });

  it('gives work that failed another try, under a new epoch', async () => {
    const epochs: number[] = [];
    const candidate = new Leadership(bus.connection, { ttlMs }).run('fails', async ({ epoch, signal }) => {
      epochs.push(epoch);
      if (epochs.length === 1) throw new Error('on purpose');
      await aborted(signal);
    });
    await until(() => epochs.length === 2);
    expect(epochs).toEqual([1, 2]);
    await candidate.close();
  });
});

describe('the reader of reports', () => {
  it('that begins later gets what the one before had not acknowledged, at once and in order, and that one ends', async () => {
    const reports = Array.from({ length: 20 }, (_, i) => `r-${i}`);
    for (const id of reports) await bus.publishReport(subjects.report('w', 'ready'), id, { id });
    const stop = new AbortController();
    const begun: string[] = [];
    const old = bus.consumeReports(
      async ({ id }) => {
        begun.push(id);
        if (begun.length > 3) await aborted(stop.signal); // stands still with the rest of its batch
      },
      { signal: new AbortController().signal, epoch: 7 },
    );
    await until(() => begun.length === 4);
    const taken: string[] = [];
    const successor = bus.consumeReports(
      async ({ id }) => {
        taken.push(id);
      },
      { signal: stop.signal, epoch: 8 },
    );
    await until(() => taken.length === 17);
    expect(taken).toEqual(reports.slice(3));
    stop.abort();
    await successor;
    await expect(old).rejects.toThrow(ReportsTakenOverError);
    const late = bus.consumeReports(async () => undefined, { signal: new AbortController().signal, epoch: 6 });
    await expect(late).rejects.toThrow(ReportsTakenOverError);
  });
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve());
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
