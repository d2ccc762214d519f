import { type Decider, DomainError } from '@tinkerbell/domain';
import { type Event, UnknownEventError } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeCommit } from './envelope';
import type { Commit, EventStore } from './event-store';
import type { Harness } from './event-store.contract';
import { current, recent, rememberCommits } from './current';
import { handle } from './handle';
import { knownStatesOf } from './known-states';

class TakenError extends DomainError {
  readonly code = 'TAKEN';
}

interface Names {
  readonly open: boolean;
  readonly names: readonly string[];
}
type Command = { readonly add: string } | { readonly ensure: string } | { readonly close: true };

/** A set of names: `add` refuses what is there, `ensure` finds nothing to do then, and nothing is added once it is closed. */
const decider: Decider<Command, Names, Event> = {
  initial: { open: true, names: [] },
  decide(command, { open, names }) {
    if ('close' in command) return open ? [{ type: 'TemplateDeleted', v: 1, data: {} }] : [];
    const name = 'add' in command ? command.add : command.ensure;
    if (names.includes(name) && 'ensure' in command) return [];
    if (!open || names.includes(name)) throw new TakenError(name);
    return [{ type: 'TemplateCreated', v: 1, data: { name, data: '' } }];
  },
  evolve: (state, { type, data }) =>
    type === 'TemplateDeleted'
      ? { ...state, open: false }
      : { ...state, names: [...state.names, (data as { name: string }).name] },
};
/** Opens again with the next name, so that what was refused on old knowledge is right by now. */
const reopening: typeof decider = {
  ...decider,
  decide: (command, state) => decider.decide(command, { ...state, open: state.names.length % 2 === 0 }),
};

const newStream = () => subjects.stream('template', `h-${crypto.randomUUID().slice(0, 8)}`);
const by = (id: string = crypto.randomUUID()) => ({ id, actor: 'spec' });

/** What `handle` does over every EventStore, whatever it remembers. */
export function handleContract(adapter: string, open: () => Promise<Harness>): void {
  describe(`${adapter}: handle`, () => {
    let log: Harness;
    let store: EventStore;
    beforeEach(async () => {
      log = await open();
      store = log.store;
    });
    afterEach(() => log.stop());

    const run = (on: EventStore, stream: string, command: Command, id?: string, rules = decider) =>
      handle(on, rules, stream, command, by(id));
    const namesIn = async (stream: string) =>
      (await store.read(stream)).events.map(({ event }) => (event.data as { name?: string }).name ?? event.type);
    /** Counts what the store is asked to read. */
    const counting = (inner: EventStore) => {
      const counted = { reads: 0, store: Object.create(inner) as EventStore };
      counted.store.read = (stream, after) => {
        counted.reads++;
        return inner.read(stream, after);
      };
      counted.store.append = inner.append.bind(inner);
      return counted;
    };

    it('reads no stream that it opened, any other once, and then goes by what it knows', async () => {
      const [ours, after] = [counting(store), counting(await log.another())];
      const stream = newStream();
      for (const add of ['a', 'b', 'c']) await run(ours.store, stream, { add });
      for (const add of ['d', 'e', 'f']) await run(after.store, stream, { add });
      expect([ours.reads, after.reads]).toEqual([0, 1]);
      expect(await namesIn(stream)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    });

    it('does not answer "nothing to do" or "refused" from memory', async () => {
      const counted = counting(store);
      const stream = newStream();
      await run(counted.store, stream, { add: 'a' });
      expect(await run(counted.store, stream, { ensure: 'a' })).toMatchObject({ changed: false });
      expect(counted.reads).toBe(1);
      await expect(run(counted.store, stream, { add: 'a' })).rejects.toThrow(TakenError);
      expect(counted.reads).toBe(2);
    });

    it('refuses what another process made impossible, and accepts what it made possible', async () => {
      const other = await log.another();
      const stream = newStream();
      await run(store, stream, { add: 'a' }, undefined, reopening);
      // Known here: one name, closed. The other adds one, and it is open again.
      await handle(other, decider, stream, { add: 'b' }, by());
      expect(await run(store, stream, { add: 'c' }, undefined, reopening)).toMatchObject({ changed: true });
      await handle(other, decider, stream, { close: true }, by());
      await expect(run(store, stream, { add: 'd' })).rejects.toThrow(TakenError);
      expect(await namesIn(stream)).toEqual(['a', 'b', 'c', 'TemplateDeleted']);
    });

    it('decides again when another process wrote in between, and stores nothing of the stale decision', async () => {
      const other = await log.another();
      const stream = newStream();
      await run(store, stream, { add: 'a' });
      await run(other, stream, { add: 'b' });
      expect(await run(store, stream, { ensure: 'b' })).toMatchObject({ changed: false });
      await run(other, stream, { add: 'c' });
      await expect(run(store, stream, { add: 'c' })).rejects.toThrow(TakenError);
      expect(await run(store, stream, { add: 'd' })).toMatchObject({ changed: true });
      expect(await namesIn(stream)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('knows a command that comes again: here, there, and after everything was forgotten', async () => {
      const other = await log.another();
      const stream = newStream();
      await run(store, stream, { add: 'a' }, 'cmd-a');
      const { position } = await run(store, stream, { add: 'b' }, 'cmd-b');
      const again = { position, changed: false };
      expect(await run(store, stream, { add: 'a' }, 'cmd-a')).toEqual(again);
      expect(await run(other, stream, { add: 'b' }, 'cmd-b')).toEqual(again);
      // The other knows two commits; a third comes from here, and its command from there.
      const third = await run(store, stream, { add: 'c' }, 'cmd-c');
      // In the same millisecond these are the very same bytes, which the store takes for its own second try: `changed` says nothing here.
      expect(await run(other, stream, { add: 'c' }, 'cmd-c')).toMatchObject({ position: third.position });
      knownStatesOf(store).forget(stream);
      expect(await run(store, stream, { add: 'a' }, 'cmd-a')).toEqual({ position: third.position, changed: false });
      const restarted = await log.restart();
      expect(await run(restarted, stream, { add: 'b' }, 'cmd-b')).toEqual({ position: third.position, changed: false });
      expect((await restarted.read(stream)).head.version).toBe(3);
    });

    it('lets writers in several processes race: every accepted name is there once, every other was refused', async () => {
      const stores = [store, await log.another(), await log.another()];
      const stream = newStream();
      const wanted = Array.from({ length: 12 }, (_, i) => `n${i}`);
      const rounds = await Promise.all(
        stores.map(async (on) => {
          const won: string[] = [];
          for (const add of wanted) {
            for (let done = false; !done;) {
              try {
                await run(on, stream, { add });
                won.push(add);
                done = true;
              } catch (error) {
                // Three races lost in a row are told as such; the caller comes again.
                done = error instanceof TakenError;
                if (!done && (error as Error).constructor.name !== 'ConcurrencyError') throw error;
              }
            }
          }
          return won;
        }),
      );
      expect(rounds.flat().sort()).toEqual([...wanted].sort());
      expect((await namesIn(stream)).sort()).toEqual([...wanted].sort());
    });

    it('asks the log for what it does not know, and for nothing else', async () => {
      const other = await log.another();
      const stream = newStream();
      await run(store, stream, { add: 'a' });
      const asked: (number | undefined)[] = [];
      const watched = Object.create(store) as EventStore;
      watched.read = (of, after) => {
        asked.push(after?.version);
        return store.read(of, after);
      };
      const names = async () => (await current(watched, decider, stream)).state.names;
      expect(await names()).toEqual(['a']);
      expect(await names()).toEqual(['a']);
      await run(other, stream, { add: 'b' }, 'cmd-b');
      await run(other, stream, { add: 'c' });
      expect(await names()).toEqual(['a', 'b', 'c']);
      expect(asked).toEqual([undefined, 1, 1]);
      const known = await current(watched, decider, stream);
      expect(known.head).toEqual((await store.read(stream)).head);
      expect(known.commandIds.has('cmd-b')).toBe(true);
      expect(await run(watched, stream, { add: 'b' }, 'cmd-b')).toEqual({
        position: known.head.position,
        changed: false,
      });
    });

    it('reads the whole stream when what it knows is not in the log', async () => {
      const stream = newStream();
      await run(store, stream, { add: 'a' });
      await run(store, stream, { add: 'b' });
      const { head, events } = await store.read(stream);
      const wrong = { head: { ...head, version: 1, hash: 'f'.repeat(64), position: 0 }, state: decider.initial };
      knownStatesOf(store).forget(stream);
      knownStatesOf(store).put(stream, decider, wrong, events.slice(0, 1), performance.now());
      expect((await current(store, decider, stream)).state.names).toEqual(['a', 'b']);
    });

    it('knows without asking what the log said not long ago, and what came out of it since', async () => {
      const stream = newStream();
      const names = () => recent(store, decider, stream, 60_000)?.names;
      expect(names()).toBeUndefined();
      await run(store, stream, { add: 'a' });
      expect(names()).toEqual(['a']);
      expect(recent(store, decider, stream, -1)).toBeUndefined();
      // As another process does.
      const { head } = await store.read(stream);
      const event = { type: 'TemplateCreated', v: 1, data: { name: 'b', data: '' } } as const;
      await store.append(stream, [event], { expected: head, metadata: by('theirs') });
      expect(names()).toEqual(['a']);
      const commits: Commit[] = [];
      const over = new AbortController();
      for await (const commit of store.subscribe({ after: 0, signal: over.signal })) {
        if (commit.stream === stream) commits.push(commit);
        if (commits.length === 2) over.abort();
      }
      rememberCommits(store, commits);
      expect(names()).toEqual(['a', 'b']);
      // Their command again changes nothing; a commit that does not follow on what is known is no basis.
      expect(await run(store, stream, { add: 'c' }, 'theirs')).toMatchObject({ changed: false });
      const [, last] = commits;
      if (last) rememberCommits(store, [{ ...last, version: 3, position: last.position + 1 }]);
      expect(names()).toBeUndefined();
      expect((await current(store, decider, stream)).state.names).toEqual(['a', 'b']);
    });

    it('keeps deciders apart that read the same stream', async () => {
      const stream = newStream();
      await run(store, stream, { add: 'a' });
      const length = { initial: 0, evolve: (n: number) => n + 1, decide: (_: string, n: number) => [named(`${n}`)] };
      await handle(store, length, stream, '', by());
      await run(store, stream, { add: 'b' });
      await handle(store, length, stream, '', by());
      expect(await namesIn(stream)).toEqual(['a', '1', 'b', '3']);
    });

    it('decides nothing where a newer release wrote, also on what it knew before', async () => {
      const stream = newStream();
      await run(store, stream, { add: 'a' });
      const { head } = await store.read(stream);
      const event = { type: 'TemplateCreated', v: 99, data: { name: 'b', data: '' } };
      await log.plant(stream, encodeCommit(stream, head, [event], by(), new Date()));
      const decided = run(store, stream, { ensure: 'a' });
      await expect(decided).rejects.toThrow('unknown event TemplateCreated version 99 of template');
      await expect(run(store, stream, { add: 'c' })).rejects.toThrow(UnknownEventError);
      expect(await store.lastPosition(stream)).toBeGreaterThan(head.position);
    });
  });
}

const named = (name: string): Event => ({ type: 'TemplateCreated', v: 1, data: { name, data: '' } });
