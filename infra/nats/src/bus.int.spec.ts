import { createUserKey } from '@tinkerbell/identity';
import {
  BusForbiddenError,
  type BusOptions,
  BusUnavailableError,
  type LoggedLine,
  NatsBus,
  type Report,
  subjects,
} from '@tinkerbell/messaging';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestNats, type TestNats } from './index';

let nats: TestNats;
let engine: NatsBus;
const open: NatsBus[] = [];
const one = '11111111-0000-4000-8000-000000000001';
const two = '22222222-0000-4000-8000-000000000002';
const workflow = '33333333-0000-4000-8000-000000000003';

async function connect(options: Omit<BusOptions, 'name'>): Promise<NatsBus> {
  const bus = await NatsBus.connect({ name: 'spec', firstConnectTimeoutMs: 5000, ...options });
  open.push(bus);
  return bus;
}
async function worker(id: string, options: Partial<BusOptions> = {}): Promise<NatsBus> {
  return connect({ ...(await nats.worker(id)), inboxPrefix: subjects.inboxPrefix(id), ...options });
}
/** Takes reports until the predicate is true, then stops. */
async function take(bus: NatsBus, enough: (taken: readonly Report[]) => boolean, fail?: (report: Report) => boolean) {
  const taken: Report[] = [];
  const stop = new AbortController();
  const handler = async (report: Report) => {
    if (fail?.(report)) throw new Error('not now');
    taken.push(report);
    if (enough(taken)) stop.abort();
  };
  await bus.consumeReports(handler, { signal: stop.signal });
  return taken;
}
async function collect(lines: AsyncIterable<LoggedLine>, count = Number.POSITIVE_INFINITY): Promise<LoggedLine[]> {
  const all: LoggedLine[] = [];
  for await (const line of lines) if (all.push(line) >= count) break;
  return all;
}
const line = (text: string) => ({ at: new Date().toISOString(), stream: 'stdout', attempt: 1, line: text }) as const;

beforeAll(async () => {
  nats = await startTestNats({ secured: true, restart: false });
});
afterAll(() => nats.stop());
beforeAll(async () => {
  engine = await NatsBus.connect({ name: 'engine', ...nats.engine });
});
afterAll(() => engine.close());
afterEach(() => Promise.all(open.splice(0).map((bus) => bus.close())));

describe('a worker’s credential', () => {
  it('reports once however often it sends, and only in its own name', async () => {
    const bus = await worker(one);
    const first = await bus.publishReport(subjects.report(one, 'ready'), 'ready-1', { a: 1 });
    expect(await bus.publishReport(subjects.report(one, 'ready'), 'ready-1', { a: 1 })).toEqual({
      ...first,
      duplicate: true,
    });
    await expect(bus.publishReport(subjects.report(two, 'ready'), 'x', {}, 30_000)).rejects.toThrow(BusForbiddenError);
    const [report] = await take(engine, ({ length }) => length === 1);
    expect(report).toMatchObject({ workerId: one, kind: 'ready', id: 'ready-1', redeliveries: 0 });
    expect(report?.json()).toEqual({ a: 1 });
    expect(Date.parse(report?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });

  it('reads nobody’s events, replies or wake-ups, and writes no events', async () => {
    const refused: string[] = [];
    const bus = await worker(one, { onStatus: ({ type, detail }) => type === 'error' && refused.push(detail) });
    const heard: string[] = [];
    for (const subject of ['tink.ev.>', '_INBOX.>', subjects.wake(two), subjects.inboxPrefix(two) + '.>']) {
      bus.subscribe(subject, (_, from) => heard.push(from));
    }
    await expect(bus.request(subjects.stream('workflow', workflow), {}, 500)).rejects.toThrow(BusForbiddenError);
    await expect(bus.request('$JS.API.INFO', {}, 500)).rejects.toThrow(BusForbiddenError);
    engine.wake(two);
    engine.publish('tink.ev.default.hardware.x', {});
    await engine.connection.flush();
    await bus.connection.flush();
    expect(heard).toEqual([]);
  });

  it('is refused after its end, and told so at once', async () => {
    const { identity } = nats;
    const { seed } = await nats.worker(one);
    const other = await nats.worker(two);
    // The JWT of one key with the seed of another.
    await expect(connect({ ...other, seed })).rejects.toThrow(BusForbiddenError);
    const key = createUserKey();
    const past = await identity?.mintWorkerJwt({ ...key, workerId: one, expiresAt: new Date(Date.now() - 5000) });
    await expect(connect({ ...other, jwt: past ?? '', seed: key.seed })).rejects.toThrow(BusForbiddenError);
  });

  it('may be replaced while connected: the new one is used when the old one ends', async () => {
    const key = createUserKey();
    const mint = (seconds: number) =>
      nats.identity?.mintWorkerJwt({ ...key, workerId: one, expiresAt: new Date(Date.now() + seconds * 1000) });
    let jwt = (await mint(2)) ?? '';
    const seen: string[] = [];
    const { servers, ca } = await nats.worker(one);
    const bus = await connect({
      ...{ servers, ca, seed: key.seed, jwt: () => jwt, inboxPrefix: subjects.inboxPrefix(one) },
      onStatus: ({ type }) => void seen.push(type),
    });
    jwt = (await mint(3600)) ?? '';
    await expect.poll(() => seen).toContain('reconnect');
    expect(await bus.publishReport(subjects.report(one, 'ready'), 'renewed', {})).toMatchObject({ duplicate: false });
    await take(engine, (taken) => taken.some(({ id }) => id === 'renewed'));
  });

  it('is not asked for when the server’s certificate is not from our authority', async () => {
    const { ca: _, ...login } = await nats.worker(one);
    await expect(connect({ ...login, firstConnectTimeoutMs: 300 })).rejects.toThrow(BusUnavailableError);
  });
});

describe('reports', () => {
  it('are all shown while they wait, of one worker and kind, in order, and no more once they are taken', async () => {
    const [bus, neighbour] = [await worker(one), await worker(two)];
    expect(await engine.pendingReports(one, 'started')).toEqual([]);
    const send = (from: NatsBus, id: string, kind: 'started' | 'finished', n: number) =>
      from.publishReport(subjects.report(id, kind), `waits:${id}:${kind}:${n}`, { n });
    await send(bus, one, 'started', 1);
    await send(neighbour, two, 'started', 2);
    await send(bus, one, 'finished', 3);
    await send(bus, one, 'started', 4);
    await send(bus, one, 'started', 5);
    expect(await engine.pendingReports(one, 'started')).toEqual([{ n: 1 }, { n: 4 }, { n: 5 }]);
    await take(engine, (taken) => taken.length === 5);
    await expect.poll(() => engine.pendingReports(one, 'started')).toEqual([]);
  });
  it('come again when taking one failed, without holding up the others for ever', async () => {
    const bus = await worker(one);
    for (const i of [1, 2, 3]) await bus.publishReport(subjects.report(one, 'started'), `again-${i}`, { i });
    let failures = 0;
    const taken = await take(
      engine,
      ({ length }) => length === 3,
      ({ id }) => id === 'again-1' && failures++ < 1,
    );
    expect(taken.map(({ id }) => id).sort()).toEqual(['again-1', 'again-2', 'again-3']);
    expect(taken.find(({ id }) => id === 'again-1')?.redeliveries).toBe(1);
  });

  it('survive kill -9 of the server on both sides', async () => {
    const bus = await worker(one);
    const taken = take(engine, (reports) => new Set(reports.map(({ id }) => id)).size === 40);
    const sent: string[] = [];
    for (let i = 0; i < 40; i++) {
      if (i === 20) {
        await nats.server.kill();
        void nats.server.restart();
      }
      for (;;) {
        const stored = await bus
          .publishReport(subjects.report(one, 'finished'), `kill-${i}`, { i }, 500)
          .catch(() => undefined);
        if (stored) break;
      }
      sent.push(`kill-${i}`);
    }
    expect([...new Set((await taken).map(({ id }) => id))].sort()).toEqual(sent.sort());
  });
});

describe('output lines', () => {
  const read = (query: Parameters<NatsBus['logs']>[0], count?: number) => collect(engine.logs(query), count);

  it('are read from the start to the newest, by workflow, action and time', async () => {
    const bus = await worker(one);
    expect(await read({ subject: subjects.logOfWorkflow(workflow) })).toEqual([]);
    await bus.publishLog(subjects.log(one, workflow, 0), line('a'));
    await bus.publishLog(subjects.log(one, workflow, 1), line('b'));
    await bus.publishLog(subjects.log(one, workflow, 1), line('b2'), 'once');
    await bus.publishLog(subjects.log(one, workflow, 1), line('b2'), 'once');
    const all = await read({ subject: subjects.logOfWorkflow(workflow) });
    expect(all.map(({ line: text, index, workerId }) => [text, index, workerId])).toEqual([
      ['a', 0, one],
      ['b', 1, one],
      ['b2', 1, one],
    ]);
    expect((await read({ subject: subjects.logOfAction(workflow, 1) })).map(({ line: text }) => text)).toEqual([
      'b',
      'b2',
    ]);
    const future = new Date(Date.now() + 60_000).toISOString();
    expect(await read({ subject: subjects.allLogs, since: future })).toEqual([]);
    const past = new Date(Date.now() - 60_000).toISOString();
    expect(await read({ subject: subjects.logOfWorkflow(workflow), since: past })).toHaveLength(3);
  });

  it('are followed across kill -9, each once and in order', async () => {
    const bus = await worker(two);
    const subject = subjects.log(two, workflow, 7);
    const followed = read({ subject: subjects.logOfAction(workflow, 7), follow: true }, 30);
    for (let i = 0; i < 30; i++) {
      if (i === 10) {
        await nats.server.kill();
        void nats.server.restart();
      }
      while (!(await bus.publishLog(subject, line(`${i}`), `l${i}`, 500).catch(() => undefined)));
    }
    expect((await followed).map(({ line: text }) => text)).toEqual(Array.from({ length: 30 }, (_, i) => `${i}`));
  });

  it('end when the reader wants them to', async () => {
    const stop = new AbortController();
    const reading = read({ subject: subjects.logOfAction(workflow, 999), follow: true, signal: stop.signal });
    stop.abort();
    expect(await reading).toEqual([]);
  });
});

describe('requests and wake-ups', () => {
  it('answer in JSON, say when nobody listens, and wake the worker meant', async () => {
    const bus = await worker(one);
    await expect(bus.request(subjects.rpc(one, 'next'), {}, 2000)).rejects.toThrow(
      /no answer on .*: nobody is listening/,
    );
    const end = engine.serve(
      subjects.anyRpc('next'),
      async (request, subject) => ({ response: { request, subject } }),
      'q',
    );
    await engine.connection.flush();
    expect(await bus.request(subjects.rpc(one, 'next'), { bootId: 'b' })).toEqual({
      response: { request: { bootId: 'b' }, subject: subjects.rpc(one, 'next') },
    });
    end();
    const woken = new Promise<void>((resolve) => bus.onWake(one, resolve));
    await bus.connection.flush();
    engine.wake(two);
    engine.wake(one);
    await woken;
  });
});
