import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArchiveReactor } from './archive.reactor';
import { ArchiveConfigError, TargetUnavailableError, type ArchiveTarget } from './archive-target';
import { describeTarget } from './archive-target.contract';
import { openKurrent } from './kurrent';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { InMemoryTarget } from './testing/in-memory-target';
import { startKurrentStub, type KurrentStub } from './testing/kurrent-stub';
import { appendTo, event } from './testing/log';

const url = process.env['KURRENTDB_URL'] ?? '';

/** The one that counts: a real server, whose connection string is in KURRENTDB_URL. Reported as skipped without it. */
describe.skipIf(url === '')('a KurrentDB server', () => {
  describeTarget('with the contract of the archive', () => openKurrent(url));
});

describe('a stub of KurrentDB, which proves the calls of the client and nothing about a server,', () => {
  const stubs: KurrentStub[] = [];
  const targets: ArchiveTarget[] = [];
  afterAll(async () => {
    await Promise.all(targets.map((target) => target.close()));
    await Promise.all(stubs.map((stub) => stub.stop()));
  });
  async function start(options: { readonly batches: boolean }) {
    const stub = await startKurrentStub(new InMemoryTarget(), options);
    stubs.push(stub);
    const target = await openKurrent(`kurrentdb://127.0.0.1:${stub.port}?tls=false`);
    targets.push(target);
    return { stub, target };
  }

  describeTarget('that knows batch appends', async () => (await start({ batches: true })).target);
  describeTarget('that knows none', async () => (await start({ batches: false })).target);

  it('takes a log, away for a while in between', async () => {
    const { stub, target } = await start({ batches: true });
    const store = new InMemoryEventStore();
    for (let n = 0; n < 20; n++) await appendTo(store, `wf${n % 3}`, [event(n)]);
    const reactor = new ArchiveReactor(store, target, {
      log: () => undefined,
      idleMs: 5,
      retryMs: { shortest: 20, longest: 100 },
    });
    reactor.start();
    try {
      await expect.poll(() => reactor.position).toBe(20);
      stub.memory.away = true;
      await appendTo(store, 'wf0');
      await expect.poll(() => reactor.failing).toBeGreaterThan(1);
      stub.memory.away = false;
      await expect.poll(() => reactor.position, { timeout: 60_000 }).toBe(21);
      expect(stub.memory.memory.eventsOf('workflow-wf0')).toHaveLength(8);
    } finally {
      await reactor.close();
    }
  });
});

describe('openKurrent', () => {
  it.each([
    ['nonsense', /^TINK_ARCHIVE_KURRENTDB_URL: Unexpected "n" at position 0, expected kurrentdb:\/\//],
    ['http://host:2113', /Unexpected "http:\/\/"/],
    ['kurrentdb://host:2113?tls=maybe', /Unexpected "maybe" .* expected true or false/],
    ['kurrentdb://host?tlsCAFile=/nowhere', /certificate file/],
    ['kurrentdb://ann:secret@host:99999?tls=false', /no connection string of KurrentDB/],
  ])('says what is wrong with %s, and no password', async (text, message) => {
    const error: unknown = await openKurrent(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ArchiveConfigError);
    expect(String(error)).not.toContain('secret');
    expect((error as Error).message).toMatch(message);
  });

  describe('where nothing listens', () => {
    let target: ArchiveTarget;
    beforeAll(async () => {
      target = await openKurrent('kurrentdb://127.0.0.1:1?tls=false');
    });
    afterAll(() => target?.close());
    it('reads and appends fail in a way that is tried again', async () => {
      await expect(target.last('x')).rejects.toThrow(TargetUnavailableError);
      await expect(target.append('x', [], 'any')).rejects.toThrow(TargetUnavailableError);
      await expect(target.keepLast('x', 1)).rejects.toThrow(TargetUnavailableError);
    });
  });
});
