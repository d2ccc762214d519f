import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as dial, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats, type TestNatsOptions } from '@tinkerbell/nats';
import { afterEach, describe, expect, it } from 'vitest';
import { ConcurrencyError, emptyHead, StoreUnavailableError } from './event-store';
import { eventStoreContract, type Harness } from './event-store.contract';
import { handle } from './handle';
import { handleContract } from './handle.contract';
import { JetStreamEventStore, type JetStreamOptions } from './jetstream';
import { StoreUnsuitableError } from './jetstream-gate';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: TestNatsOptions = {}): Promise<TestNats> {
  const nats = await startTestNats(options);
  cleanups.push(() => nats.stop());
  return nats;
}
async function connect(nats: TestNats, options: Partial<JetStreamOptions & { servers: string }> = {}) {
  const store = await JetStreamEventStore.connect({
    ...nats.engine,
    name: 'spec',
    firstConnectTimeoutMs: 5000,
    ...options,
  });
  cleanups.push(() => store.close());
  return store;
}

const stream = subjects.stream('template', 'x');
const created = (name: string): Event => ({ type: 'TemplateCreated', v: 1, data: { name, data: '' } });
const by = (id: string = crypto.randomUUID()) => ({ id, actor: 'spec' });
const nameOf = ({ event }: { event: Event }) => (event.data as { name: string }).name;

async function openLog(): Promise<Harness> {
  const nats = await startTestNats({ restart: false });
  const opened: JetStreamEventStore[] = [];
  const open = async () => {
    const store = await JetStreamEventStore.connect({ ...nats.engine, name: 'spec' });
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    another: open,
    async plant(subject, bytes) {
      await (await nats.connect()).jetstream().publish(subject, bytes);
    },
    async restart() {
      await nats.server.kill();
      await nats.server.restart();
      return open();
    },
    async stop() {
      await Promise.all(opened.map((store) => store.close()));
      await nats.stop();
    },
  };
}

eventStoreContract('jetstream', openLog);
handleContract('jetstream', openLog);

/** Stands between client and server and loses what it is told to. */
class LossyProxy {
  /** Called with what the server sends; true: drop it and cut the connection. */
  cut: (fromServer: string) => boolean = () => false;
  /** Swallow what the server sends without cutting. */
  mute = false;
  cuts = 0;
  readonly #sockets = new Set<Socket>();
  private constructor(private readonly server: Server) {}

  static async before(port: number): Promise<LossyProxy> {
    const server = createServer();
    const proxy = new LossyProxy(server);
    server.on('connection', (client) => {
      const upstream = dial(port, '127.0.0.1');
      for (const socket of [client, upstream]) {
        proxy.#sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => [client, upstream].forEach((end) => end.destroy()));
      }
      client.on('data', (data) => upstream.write(data));
      upstream.on('data', (data) => {
        if (proxy.mute) return;
        if (!proxy.cut(data.toString('latin1'))) return void client.write(data);
        proxy.cuts++;
        client.destroy();
        upstream.destroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => proxy.close());
    return proxy;
  }
  get url(): string {
    return `nats://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
  }
}
const isAck = (text: string) => text.includes('"stream":"TINK_EV"') && text.includes('"seq":');

describe('a lost acknowledgement', () => {
  it('is looked up: the commit is there once, and the writer is told so', async () => {
    const nats = await start();
    const proxy = await LossyProxy.before(nats.server.port);
    const store = await connect(nats, { servers: proxy.url });
    let head = emptyHead;
    for (let round = 1; round <= 5; round++) {
      let dropped = false;
      proxy.cut = (text) => !dropped && isAck(text) && (dropped = true);
      const appended = await store.append(stream, [created(`${round}`)], { expected: head, metadata: by() });
      expect(appended).toMatchObject({ duplicate: false, head: { version: round, position: round } });
      head = appended.head;
    }
    expect(proxy.cuts).toBe(5);
    expect((await store.read(stream)).head).toEqual(head);
  });

  it('does not disturb handle(), which goes on from the head that it knows', async () => {
    const nats = await start();
    const proxy = await LossyProxy.before(nats.server.port);
    const store = await connect(nats, { servers: proxy.url });
    const decider = { initial: 0, decide: (_: string, n: number) => [created(`${n}`)], evolve: (n: number) => n + 1 };
    for (let round = 0; round < 5; round++) {
      let dropped = round === 0;
      proxy.cut = (text) => !dropped && isAck(text) && (dropped = true);
      expect(await handle(store, decider, stream, '', by(`c${round}`))).toEqual({ position: round + 1, changed: true });
      expect(await handle(store, decider, stream, '', by(`c${round}`))).toEqual({
        position: round + 1,
        changed: false,
      });
    }
    expect(proxy.cuts).toBe(4);
    expect((await store.read(stream)).events.map(nameOf)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('leads to a conflict when somebody else wrote since, and handle() can still see the commit', async () => {
    const nats = await start();
    const proxy = await LossyProxy.before(nats.server.port);
    const [store, other] = [await connect(nats, { servers: proxy.url }), await connect(nats)];
    let between: Promise<unknown> | undefined;
    proxy.cut = (text) => {
      if (between || !isAck(text)) return false;
      between = other
        .read(stream)
        .then(({ head }) => other.append(stream, [created('theirs')], { expected: head, metadata: by() }));
      return true;
    };
    // Until the other's commit is there the proxy lets nobody back in.
    const appending = store.append(stream, [created('ours')], { expected: emptyHead, metadata: by('ours') });
    const outcome = await appending.catch((error: unknown) => error);
    await between;
    const { events } = await store.read(stream);
    expect(events.map(nameOf)).toEqual(['ours', 'theirs']);
    if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ConcurrencyError);
    else expect(outcome).toMatchObject({ duplicate: false });
  });

  it('ends in StoreUnavailableError when the server stays silent, after a bounded time', async () => {
    const nats = await start();
    const proxy = await LossyProxy.before(nats.server.port);
    const store = await connect(nats, { servers: proxy.url, patienceMs: 300, attemptMs: 200 });
    proxy.mute = true;
    await expect(store.append(stream, [created('a')], { expected: emptyHead, metadata: by('a') })).rejects.toThrow(
      /not known to be stored: nats-server does not answer/,
    );
    await expect(store.read(stream)).rejects.toThrow(StoreUnavailableError);
    proxy.mute = false;
    // The command is sent again later and was stored all the time.
    const again = await connect(nats);
    expect(await again.append(stream, [created('a')], { expected: emptyHead, metadata: by('a') })).toMatchObject({
      duplicate: true,
      head: { version: 1 },
    });
  });
});

describe('a subscription to a log that does not answer yet', () => {
  it('is tried again, which the log tells, until there is an answer, or nobody wants it', async () => {
    const nats = await start();
    await (await connect(nats)).append(stream, [created('a')], { expected: emptyHead, metadata: by() });
    const lines: string[] = [];
    const store = await connect(nats, { patienceMs: 200, attemptMs: 150, log: (line) => void lines.push(line) });
    const unwanted = new AbortController();
    const read = async (signal?: AbortSignal) => {
      for await (const { events } of store.subscribe({ after: 0, ...(signal && { signal }) }))
        return events.map(nameOf);
      return 'ended';
    };
    const { pid } = nats.server;
    if (pid === undefined) expect.fail('the server is down');
    process.kill(pid, 'SIGSTOP');
    try {
      const reading = read();
      const givenUp = read(unwanted.signal);
      const tries = () => lines.filter((line) => line.startsWith('reading the log is tried again: ')).length;
      await Promise.race([expect.poll(tries).toBeGreaterThan(5), reading, givenUp]);
      unwanted.abort();
      expect(await givenUp).toBe('ended');
      process.kill(pid, 'SIGCONT');
      expect(await reading).toEqual(['a']);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

describe('kill -9 of nats-server', () => {
  it('takes nothing that was acknowledged, and a subscription goes on without gap or repetition', async () => {
    const nats = await start({ restart: false });
    const store = await connect(nats);
    const reader = await connect(nats);
    const total = 300;
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { version } of reader.subscribe({ after: 0 })) if (seen.push(version) === total) break;
    })();
    let head = emptyHead;
    const acknowledged: string[] = [];
    for (let i = 1; i <= total; i++) {
      if (i % 100 === 50) {
        await nats.server.kill();
        void nats.server.restart();
      }
      const { head: next } = await store.append(stream, [created(`${i}`)], { expected: head, metadata: by() });
      head = next;
      acknowledged.push(`${i}`);
    }
    await reading;
    expect(seen).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    const read = await store.read(stream);
    expect(read.events.map(nameOf)).toEqual(acknowledged);
    expect(read.head).toEqual(head);
  });

  it('is waited for by a write when the server comes back in time', async () => {
    const nats = await start();
    const store = await connect(nats, { problem: () => nats.server.problem() });
    for (let version = 1; version <= 4; version++) {
      const { head } = await store.read(stream);
      await nats.server.kill();
      const appended = await store.append(stream, [created('a')], { expected: head, metadata: by() });
      expect(appended).toMatchObject({ duplicate: false, head: { version } });
    }
  });

  it('is told as unavailable while it lasts, and nothing is sent later behind the caller’s back', async () => {
    const nats = await start({ restart: false });
    const store = await connect(nats, { patienceMs: 300, problem: () => nats.server.problem() });
    await nats.server.kill();
    const lost = store.append(stream, [created('a')], { expected: emptyHead, metadata: by() });
    await expect(lost).rejects.toThrow(StoreUnavailableError);
    await expect(lost).rejects.toThrow('nats-server is not running');
    await expect(store.lastPosition()).rejects.toThrow(StoreUnavailableError);
    await nats.server.restart();
    const other = await connect(nats);
    expect(await other.lastPosition()).toBe(0);
    await expect.poll(() => store.lastPosition().catch(() => -1)).toBe(0);
  });
});

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

describe('a full disk', () => {
  it.skipIf(!isRoot)('is told precisely, leaves nothing half-written, and ends when there is room again', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tink-full-'));
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dir]);
    cleanups.push(() => void execFileSync('umount', ['-l', dir]));
    const nats = await start({ dataDir: join(dir, 'nats') });
    const store = await connect(nats, { attemptMs: 1000, patienceMs: 3000, problem: () => nats.server.problem() });
    const payload = () => Array.from({ length: 20_000 }, () => crypto.randomUUID()).join(''); // 720 kB that S2 cannot shrink
    const stored: string[] = [];
    let head = emptyHead;
    let refused: unknown;
    for (let i = 0; i < 60 && !refused; i++) {
      const name = `${i} ${payload()}`;
      try {
        head = (await store.append(stream, [created(name)], { expected: head, metadata: by() })).head;
        stored.push(name);
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toBeInstanceOf(StoreUnavailableError);
    expect(String(refused)).toMatch(/no space left|no room left/);
    expect(stored.length).toBeGreaterThan(5);
    // What was acknowledged can be read while the disk is full, and only that.
    expect((await store.read(stream)).events.map(nameOf)).toEqual(stored);

    execFileSync('mount', ['-o', 'remount,size=64m', dir]);
    await expect
      .poll(() => store.append(stream, [created('after')], { expected: head, metadata: by('after') }).catch(String), {
        interval: 200,
      })
      .toMatchObject({ head: { version: head.version + 1 } });
    await expect.poll(() => nats.server.problem()).toBeUndefined();
    expect((await store.read(stream)).events.map(nameOf)).toEqual([...stored, 'after']);
  });

  it('says so when the stream reached its limit', async () => {
    const nats = await start();
    const manager = await (await nats.connect()).jetstreamManager();
    const store = await connect(nats);
    await manager.streams.update('TINK_EV', { max_bytes: 4096 });
    const name = Array.from({ length: 200 }, () => crypto.randomUUID()).join('');
    const refused = store.append(stream, [created(name)], { expected: emptyHead, metadata: by() });
    await expect(refused).rejects.toThrow(StoreUnavailableError);
    await expect(refused).rejects.toThrow(/no room left: .*maximum bytes exceeded/);
    expect(await store.lastPosition()).toBe(0);
  });
});

describe('the start-up gate', () => {
  it('asks the server how it writes, and says what it found', async () => {
    const nats = await start({ secured: true });
    const lines: string[] = [];
    const store = await connect(nats, { log: (line) => lines.push(line) });
    expect(store.facts).toMatchObject({ durability: 'fsync-each', replicas: 1, serverVersion: nats.server.version });
    expect(lines[0]).toMatch(/^event log on nats-server \d+\.\d+\.\d+, api level \d+, R1, durability fsync-each$/);
  });

  it('refuses a server that acknowledges before it writes, unless that is allowed', async () => {
    const nats = await start({ secured: true, syncInterval: '2m' });
    await expect(connect(nats)).rejects.toThrow(StoreUnsuitableError);
    await expect(connect(nats)).rejects.toThrow('set `sync_interval: always`');
    expect((await connect(nats, { allowLazySync: true })).facts.durability).toBe('lazy');
  });

  it('refuses when nobody knows', async () => {
    const nats = await start({ secured: true });
    await expect(connect(nats, { systemCreds: undefined })).rejects.toThrow(
      'give the credentials of its system account',
    );
  });

  it('refuses a log that is not there, and one that may forget', async () => {
    const nats = await start({ streams: false });
    await expect(connect(nats)).rejects.toThrow('stream TINK_EV does not exist');
    const manager = await (await nats.connect()).jetstreamManager();
    await manager.streams.add({ name: 'TINK_EV', subjects: ['tink.ev.>'], max_age: 1e9, max_msgs_per_subject: 1 });
    await expect(connect(nats)).rejects.toThrow(
      /discard is "old", not "new"; max_age is 1000000000, not 0; max_msgs_per_subject is 1, not -1; deny_delete is false/,
    );
  });

  it('refuses a server that is too old', async () => {
    const old = createServer((socket) => {
      const info = {
        server_id: 'x',
        version: '2.9.10',
        max_payload: 1048576,
        proto: 1,
        headers: true,
        jetstream: true,
      };
      socket.write(`INFO ${JSON.stringify(info)}\r\n`);
      socket.on('data', (data) => data.includes('PING') && socket.write('PONG\r\n')).on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(old, 'listening');
    cleanups.push(() => void old.close());
    const servers = `127.0.0.1:${(old.address() as AddressInfo).port}`;
    const refused = JetStreamEventStore.connect({ servers, name: 'spec', durability: 'fsync-each' });
    await expect(refused).rejects.toThrow(StoreUnsuitableError);
    await expect(refused).rejects.toThrow(
      'nats-server 2.9.10 cannot write every commit through to the disk: use 2.10 or newer',
    );
  });
});
