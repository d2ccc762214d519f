import type { Event } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { leaseReleased } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Appended,
  CommandIdReusedError,
  type Commit,
  CommitTooLargeError,
  ConcurrencyError,
  emptyHead,
  type EventStore,
  IntegrityError,
  type StreamHead,
} from './event-store';
import { handle } from './handle';
import { InMemoryEventStore } from './in-memory';
import { positionContract } from './position-at.contract';
import type { StoredMessage } from './envelope';

/** One empty log and ways to get at it. */
export interface Harness {
  readonly store: EventStore;
  /** Another process on the same log. */
  another(): Promise<EventStore>;
  /** Puts a message into the log behind the store's back, as corruption or a forger would leave it. */
  plant(stream: string, bytes: Uint8Array): Promise<void>;
  /** Ends everything and starts again on what was kept. */
  restart(): Promise<EventStore>;
  stop(): Promise<void>;
}

let count = 0;
export const newStream = () => subjects.stream('template', `t-${++count}-${crypto.randomUUID().slice(0, 8)}`);
const created = (name: string): Event => ({ type: 'TemplateCreated', v: 1, data: { name, data: '' } });
const updated = (name: string): Event => ({ type: 'TemplateUpdated', v: 1, data: { name, data: '' } });
const by = (id: string = crypto.randomUUID()) => ({ id, actor: 'spec' });
const names = (commits: readonly { readonly event: Event }[]) =>
  commits.map(({ event }) => (event.data as { name: string }).name);

export async function write(store: EventStore, stream: string, name: string, id?: string): Promise<Appended> {
  const { head } = await store.read(stream);
  return store.append(stream, [created(name)], { expected: head, metadata: by(id) });
}

/** The messages that some commits leave, to be planted elsewhere with pieces missing or changed. */
async function messagesOf(stream: string, ...commits: readonly string[]): Promise<readonly StoredMessage[]> {
  const log: StoredMessage[] = [];
  const store = new InMemoryEventStore({ log });
  for (const name of commits) await write(store, stream, name);
  return log;
}

export async function take(store: EventStore, want: number, options: { after: number; filters?: readonly string[] }) {
  const taken: Commit[] = [];
  const stop = new AbortController();
  for await (const commit of store.subscribe({ ...options, signal: stop.signal })) {
    if (taken.push(commit) === want) break;
  }
  return taken;
}

/** What every EventStore does. */
export function eventStoreContract(adapter: string, open: () => Promise<Harness>): void {
  describe(`${adapter}: an event store`, () => {
    let log: Harness;
    let store: EventStore;
    beforeEach(async () => {
      log = await open();
      store = log.store;
    });
    afterEach(() => log.stop());

    describe('appending', () => {
      it('gives back what was written, with its place in the log', async () => {
        const stream = subjects.stream('template', 'a-1');
        expect(await store.read(stream)).toEqual({ events: [], head: emptyHead });
        const metadata = { id: 'c1', actor: 'user:admin', correlationId: 'corr', causationId: 'caus' };
        const before = Date.now();
        const { head, duplicate } = await store.append(stream, [created('a')], { expected: emptyHead, metadata });
        expect(duplicate).toBe(false);
        expect(head).toMatchObject({ version: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
        const read = await store.read(stream);
        expect(read.head).toEqual(head);
        expect(read.events).toEqual([
          {
            stream,
            aggregate: 'template',
            aggregateId: 'a-1',
            position: head.position,
            version: 1,
            index: 0,
            at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
            event: created('a'),
            metadata,
          },
        ]);
        expect(Date.parse(read.events[0]?.at ?? '')).toBeGreaterThanOrEqual(before - 5);
        expect(await store.lastPosition()).toBe(head.position);
      });

      it('keeps the events of one decision together, in order, at one position', async () => {
        const stream = newStream();
        const events = [created('1'), updated('2'), updated('3')];
        const { head } = await store.append(stream, events, { expected: emptyHead, metadata: by() });
        const read = await store.read(stream);
        expect(read.events.map(({ event, index, position, version }) => ({ event, index, position, version }))).toEqual(
          events.map((event, index) => ({ event, index, position: head.position, version: 1 })),
        );
      });

      it('gives back the last commit of a stream alone', async () => {
        const stream = newStream();
        expect(await store.last(stream)).toEqual({ events: [], head: emptyHead });
        await write(store, stream, 'a');
        await write(store, stream, 'b');
        await write(store, newStream(), 'c');
        const { events, head } = await store.last(stream);
        expect(names(events)).toEqual(['b']);
        expect(head).toEqual((await store.read(stream)).head);
      });

      it('reads what follows a head, and refuses a head that it does not follow', async () => {
        const stream = newStream();
        const { head: first } = await write(store, stream, 'a');
        for (const name of ['b', 'c']) await write(store, stream, name);
        const whole = await store.read(stream);
        const rest = await store.read(stream, first);
        expect(names(rest.events)).toEqual(['b', 'c']);
        expect(rest.head).toEqual(whole.head);
        expect(await store.read(stream, whole.head)).toEqual({ events: [], head: whole.head });
        await expect(store.read(stream, { ...first, hash: 'f'.repeat(64) })).rejects.toThrow(IntegrityError);
        await expect(store.read(stream, { ...first, version: 7 })).rejects.toThrow(IntegrityError);
      });

      it('stores nothing for no events', async () => {
        const stream = newStream();
        const before = await store.lastPosition();
        expect(await store.append(stream, [], { expected: emptyHead, metadata: by() })).toEqual({
          head: emptyHead,
          duplicate: false,
        });
        expect(await store.lastPosition()).toBe(before);
      });

      it('refuses a stale or invented expectation and stores nothing of it', async () => {
        const stream = newStream();
        const { head } = await write(store, stream, 'a');
        const wrong: readonly StreamHead[] = [emptyHead, { ...head, position: head.position + 7 }];
        for (const expected of wrong) {
          const refused = store.append(stream, [created('b'), created('c')], { expected, metadata: by() });
          await expect(refused).rejects.toThrow(ConcurrencyError);
          await expect(refused).rejects.toMatchObject({ stream, expected: expected.position, actual: head.position });
        }
        expect(names((await store.read(stream)).events)).toEqual(['a']);
        expect(await store.lastPosition()).toBe(head.position);
      });

      it('refuses what is too large, and what is not a stream', async () => {
        const huge = created('x'.repeat(1024 * 1024));
        const append = (stream: string, event: Event) =>
          store.append(stream, [event], { expected: emptyHead, metadata: by() });
        await expect(append(newStream(), huge)).rejects.toThrow(CommitTooLargeError);
        for (const wrong of ['tink.ev.default.template', 'tink.in.wk.a.ready', 'tink.ev.default.template.a.b', '']) {
          await expect(append(wrong, created('a'))).rejects.toThrow('is not a stream');
        }
        expect(await store.lastPosition()).toBe(0);
      });

      it('stores nearly a mebibyte', async () => {
        const stream = newStream();
        await write(store, stream, 'x'.repeat(1024 * 1024 - 8192));
        expect((await store.read(stream)).events).toHaveLength(1);
      });
    });

    describe('the same command again', () => {
      it('is stored once, whether it knows the new head or only the old one', async () => {
        const stream = newStream();
        const { head } = await write(store, stream, 'a', 'cmd');
        const old = await store.append(stream, [created('a')], { expected: emptyHead, metadata: by('cmd') });
        const fresh = await store.append(stream, [created('a')], { expected: head, metadata: by('cmd') });
        expect(old).toEqual({ head, duplicate: true });
        expect(fresh).toEqual({ head, duplicate: true });
        expect(await store.lastPosition()).toBe(head.position);
      });

      it('is known by handle() even after others wrote', async () => {
        const stream = newStream();
        const decider = {
          initial: 0,
          decide: (name: string) => [created(name)],
          evolve: (n: number) => n + 1,
        };
        const first = await handle(store, decider, stream, 'a', by('cmd'));
        const other = await handle(store, decider, stream, 'b', by());
        expect(first.changed).toBe(true);
        expect(await handle(store, decider, stream, 'a', by('cmd'))).toEqual({
          position: other.position,
          changed: false,
        });
        expect(names((await store.read(stream)).events)).toEqual(['a', 'b']);
      });

      it('is refused for another stream: command ids are unique', async () => {
        const [one, two] = [newStream(), newStream()];
        await write(store, one, 'a', 'cmd');
        const reused = write(store, two, 'b', 'cmd');
        await expect(reused).rejects.toThrow(CommandIdReusedError);
        await expect(reused).rejects.toThrow(one);
        expect((await store.read(two)).events).toEqual([]);
      });
    });

    it('lets exactly one of eight racing writers win each round', async () => {
      const stream = newStream();
      const writers = await Promise.all(Array.from({ length: 8 }, () => log.another()));
      let head: StreamHead = emptyHead;
      for (let round = 1; round <= 40; round++) {
        const expected = head;
        const outcomes = await Promise.allSettled(
          writers.map((writer, i) =>
            writer.append(stream, [created(`${round}.${i}`), updated(`${round}.${i}`)], { expected, metadata: by() }),
          ),
        );
        const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
        expect(winners).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConcurrencyError);
        }
        head = winners[0]?.head ?? emptyHead;
        expect(head.version).toBe(round);
      }
      const read = await store.read(stream);
      expect(read.head).toEqual(head);
      expect(read.events).toHaveLength(80);
      await Promise.all(writers.map((writer) => writer.close()));
    });

    it('lets every racing handle() through in the end, none twice', async () => {
      const stream = newStream();
      const decider = { initial: 0, decide: (name: string) => [created(name)], evolve: (n: number) => n + 1 };
      const commands = ['a', 'b', 'c'];
      await Promise.all(commands.map((name) => handle(store, decider, stream, name, by(name))));
      expect(names((await store.read(stream)).events).sort()).toEqual(commands);
    });

    describe('a subscription', () => {
      it('brings the stored commits in order, then new ones as they come', async () => {
        const [one, two] = [newStream(), newStream()];
        for (const [stream, name] of [
          [one, '1'],
          [two, '2'],
          [one, '3'],
        ] as const)
          await write(store, stream, name);
        const taking = take(await log.another(), 6, { after: 0 });
        for (const [stream, name] of [
          [two, '4'],
          [two, '5'],
          [one, '6'],
        ] as const)
          await write(store, stream, name);
        const taken = await taking;
        expect(names(taken.flatMap(({ events }) => events))).toEqual(['1', '2', '3', '4', '5', '6']);
        expect(taken.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
        expect(taken[2]?.prev).toBe(taken[0]?.hash);
        const read = await store.read(one);
        expect(taken.filter(({ stream }) => stream === one).flatMap(({ events }) => events)).toEqual(read.events);
      });

      it('starts after a position', async () => {
        const stream = newStream();
        for (const name of ['1', '2', '3', '4']) await write(store, stream, name);
        expect((await take(store, 2, { after: 2 })).map(({ position }) => position)).toEqual([3, 4]);
      });

      it('takes only what its filters let through', async () => {
        const wanted = subjects.stream('hardware', 'h-1');
        await write(store, newStream(), 'no');
        await store.append(wanted, [{ type: 'HardwareDeleted', v: 1, data: {} }], {
          expected: emptyHead,
          metadata: by(),
        });
        const lease = subjects.stream('lease', 'default');
        await write(store, newStream(), 'no');
        const declined = leaseReleased();
        await store.append(lease, [declined], { expected: emptyHead, metadata: by() });
        const filters = [subjects.eventsOf('hardware'), subjects.eventsOf('lease')];
        expect((await take(store, 2, { after: 0, filters })).map(({ stream }) => stream)).toEqual([wanted, lease]);
        expect((await take(store, 1, { after: 0, filters: [lease] })).map(({ stream }) => stream)).toEqual([lease]);
      });

      it('ends when it is told to while it is still being opened', async () => {
        for (const ms of [0, 1, 2, 4, 8]) {
          const stop = new AbortController();
          const reading = (async () => {
            for await (const _ of store.subscribe({ after: 0, signal: stop.signal })) continue;
          })();
          setTimeout(() => stop.abort(), ms);
          await reading;
        }
      });
      it('ends when it is told to, also while it waits', async () => {
        const stop = new AbortController();
        const seen: number[] = [];
        const reading = (async () => {
          for await (const { position } of store.subscribe({ after: 0, signal: stop.signal })) {
            seen.push(position);
            if (position === 1) setImmediate(() => stop.abort());
          }
        })();
        await write(store, newStream(), 'a');
        await reading;
        expect(seen).toEqual([1]);
        for await (const _ of store.subscribe({ after: 0, signal: AbortSignal.abort() })) expect.fail('it was aborted');
      });
    });

    it('knows the last position of what a filter lets through', async () => {
      const one = newStream();
      const { head } = await write(store, one, 'a');
      await write(store, newStream(), 'b');
      expect(await store.lastPosition(one)).toBe(head.position);
      expect(await store.lastPosition(subjects.eventsOf('template'))).toBe(head.position + 1);
      const id = one.slice(one.lastIndexOf('.') + 1);
      expect(await store.lastPosition(subjects.eventsWithId(id))).toBe(head.position);
      expect(await store.lastPosition(subjects.eventsWithId(id, 'workflow'))).toBe(0);
    });

    positionContract(() => store);

    describe('a damaged log', () => {
      it('is noticed when a commit in the middle is missing', async () => {
        const stream = newStream();
        const [first, , third] = await messagesOf(stream, 'a', 'b', 'c');
        for (const message of [first, third]) await log.plant(stream, message?.bytes ?? new Uint8Array());
        await expect(store.read(stream)).rejects.toThrow(IntegrityError);
        await expect(store.read(stream)).rejects.toThrow('commit 3 follows commit 1: 1 missing');
      });

      it('is noticed when the first commits are missing', async () => {
        const stream = newStream();
        const [, second] = await messagesOf(stream, 'a', 'b');
        await log.plant(stream, second?.bytes ?? new Uint8Array());
        await expect(store.read(stream)).rejects.toThrow('commit 2 follows commit 0: 1 missing');
      });

      it('is noticed when a commit was changed', async () => {
        const stream = newStream();
        const [first, second] = await messagesOf(stream, 'a', 'b');
        const forged = Buffer.from(
          Buffer.from(first?.bytes ?? '')
            .toString()
            .replace('"name":"a"', '"name":"z"'),
        );
        await log.plant(stream, forged);
        await log.plant(stream, second?.bytes ?? new Uint8Array());
        await expect(store.read(stream)).rejects.toThrow(
          /commit 2 was made after [0-9a-f]{12}, but commit 1 is .*: changed/,
        );
      });

      it('is noticed when a commit comes twice, or is no commit', async () => {
        const [twice, garbage, halved] = [newStream(), newStream(), newStream()];
        const [first] = await messagesOf(twice, 'a');
        for (const _ of [1, 2]) await log.plant(twice, first?.bytes ?? new Uint8Array());
        await log.plant(garbage, Buffer.from('\u0000\u0001'));
        await log.plant(halved, (first?.bytes ?? new Uint8Array()).subarray(0, 40));
        await expect(store.read(twice)).rejects.toThrow('commit 1 follows commit 1: repeated');
        for (const stream of [garbage, halved]) {
          await expect(store.read(stream)).rejects.toThrow(`${stream} at `);
          await expect(store.read(stream)).rejects.toThrow('is not JSON');
        }
      });
    });

    it('has everything after a restart, and goes on from there', async () => {
      const stream = newStream();
      const { head } = await write(store, stream, 'a', 'cmd');
      const again = await log.restart();
      expect((await again.read(stream)).head).toEqual(head);
      expect(await again.append(stream, [created('a')], { expected: emptyHead, metadata: by('cmd') })).toEqual({
        head,
        duplicate: true,
      });
      expect((await write(again, stream, 'b')).head.version).toBe(2);
      expect(names((await again.read(stream)).events)).toEqual(['a', 'b']);
    });
  });
}
