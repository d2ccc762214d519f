import { InMemoryEventStore } from '@tinkerbell/event-store';
import { afterEach, describe, expect, it } from 'vitest';
import { ArchiveReactor, type ArchiveOptions } from './archive.reactor';
import { TargetRefusedError, TargetUnavailableError } from './archive-target';
import { checkpointStream } from './checkpoint';
import { eventId } from './event-id';
import { gaugesOf } from './start-archive';
import { InMemoryTarget, TargetMemory } from './testing/in-memory-target';
import { appendTo, event } from './testing/log';

const started: ArchiveReactor[] = [];
afterEach(() => Promise.all(started.splice(0).map((one) => one.close())));

const lines: string[] = [];
function mirror(store: InMemoryEventStore, target: InMemoryTarget, over: Partial<ArchiveOptions> = {}): ArchiveReactor {
  const retryMs = { shortest: 1, longest: 4 };
  const reactor = new ArchiveReactor(store, target, { log: (line) => lines.push(line), retryMs, idleMs: 1, ...over });
  started.push(reactor);
  reactor.start();
  return reactor;
}
const reaches = (reactor: ArchiveReactor, position: number) => expect.poll(() => reactor.position).toBe(position);
const checkpointOf = (memory: TargetMemory) => memory.eventsOf(checkpointStream).at(-1)?.data;

/** Everything but the checkpoints, as ids by stream. */
function content(memory: TargetMemory): Readonly<Record<string, readonly string[]>> {
  const streams = [...memory.streams].filter(([name]) => name !== checkpointStream);
  return Object.fromEntries(streams.map(([name, events]) => [name, events.map(({ id }) => id)]));
}

/** 30 commits of one to three events in five streams, and what an archive of them holds. */
async function longLog() {
  const store = new InMemoryEventStore();
  const wanted: Record<string, string[]> = {};
  for (let n = 0; n < 30; n++) {
    const events = Array.from({ length: (n % 3) + 1 }, () => event(n));
    const position = await appendTo(store, `wf${n % 5}`, events);
    (wanted[`workflow-wf${n % 5}`] ??= []).push(...events.map((_, index) => eventId(position, index)));
  }
  return { store, wanted };
}

describe('ArchiveReactor', () => {
  it('copies what is there and then what comes', async () => {
    const { store, wanted } = await longLog();
    const target = new InMemoryTarget();
    const reactor = mirror(store, target, { batchItems: 4 });
    await reaches(reactor, 30);
    expect(content(target.memory)).toEqual(wanted);
    await appendTo(store, 'new');
    await reaches(reactor, 31);
    expect(content(target.memory)['workflow-new']).toEqual([eventId(31, 0)]);
    await expect.poll(() => checkpointOf(target.memory)).toMatchObject({ position: 31 });
    expect(target.memory.kept.get(checkpointStream)).toBe(10);
    expect([reactor.lag, reactor.failing, reactor.blocked]).toEqual([0, 0, undefined]);
  });

  it('goes on after its checkpoint, which it writes when it ends', async () => {
    const { store } = await longLog();
    const memory = new TargetMemory();
    const first = mirror(store, new InMemoryTarget(memory), { idleMs: 60_000 });
    await reaches(first, 30);
    await first.close();
    expect(checkpointOf(memory)).toMatchObject({ position: 30 });
    await appendTo(store, 'wf0');
    const again = new InMemoryTarget(memory);
    await reaches(mirror(store, again, { idleMs: 60_000 }), 31);
    expect(again.appends).toBe(1);
  });

  it.each(Array.from({ length: 14 }, (_, n) => n + 1))(
    'loses and doubles nothing when it dies at its append number %i',
    async (fatal) => {
      const { store, wanted } = await longLog();
      for (const when of ['before', 'after'] as const) {
        const memory = new TargetMemory();
        const dying = new InMemoryTarget(memory);
        let appends = 0;
        dying.interfere = (moment) => {
          if (moment !== when || ++appends < fatal) return;
          // Nothing that it does from now on arrives.
          dying.away = true;
          throw new TargetUnavailableError('dead');
        };
        const first = mirror(store, dying, { batchItems: 7, checkpointEvery: 14 });
        await expect.poll(() => first.failing).toBeGreaterThan(0);
        await first.close();
        await reaches(mirror(store, new InMemoryTarget(memory)), 30);
        expect(content(memory)).toEqual(wanted);
      }
    },
  );

  it('starts over from what is in the streams when the checkpoint is lost', async () => {
    const { store, wanted } = await longLog();
    const memory = new TargetMemory();
    const first = mirror(store, new InMemoryTarget(memory));
    await reaches(first, 30);
    await first.close();
    memory.streams.delete(checkpointStream);
    await reaches(mirror(store, new InMemoryTarget(memory)), 30);
    expect(content(memory)).toEqual(wanted);
  });

  it('can run twice', async () => {
    const { store, wanted } = await longLog();
    const memory = new TargetMemory();
    const both = [1, 2].map(() => mirror(store, new InMemoryTarget(memory), { batchItems: 2 }));
    for (const one of both) await reaches(one, 30);
    expect(content(memory)).toEqual(wanted);
  });

  it('waits for a target that is away, tells it once, and never holds up the log', async () => {
    const { store, wanted } = await longLog();
    const target = new InMemoryTarget();
    target.away = true;
    lines.length = 0;
    const reactor = mirror(store, target);
    await expect.poll(() => reactor.failing).toBeGreaterThan(3);
    expect(await appendTo(store, 'wf0')).toBe(31);
    await expect.poll(() => reactor.lag).toBe(31);
    expect(lines).toEqual(['archive: behind, trying again until it works: the archive is away']);
    target.away = false;
    await reaches(reactor, 31);
    expect(lines.at(-1)).toBe('archive: working again at position 31');
    expect(content(target.memory)).toEqual({
      ...wanted,
      'workflow-wf0': [...(wanted['workflow-wf0'] ?? []), eventId(31, 0)],
    });
  });

  it('is not asked for work while it is closed', async () => {
    const { store } = await longLog();
    const target = new InMemoryTarget();
    target.away = true;
    const reactor = mirror(store, target, { retryMs: { shortest: 60_000, longest: 60_000 } });
    await expect.poll(() => reactor.failing).toBe(1);
    await reactor.close();
    expect(reactor.failing).toBe(1);
  });

  describe('stops for good, and says why,', () => {
    const blocked = async (reactor: ArchiveReactor, reason: RegExp) => {
      await expect.poll(() => reactor.blocked).toMatch(reason);
      expect(lines.at(-1)).toMatch(/^archive: stopped, the log is no longer mirrored: /);
      const metrics = Object.fromEntries(gaugesOf(reactor).map(({ name, read }) => [name, read()]));
      expect(metrics).toMatchObject({ tink_archive_blocked: 1 });
    };
    it('when the log is shorter than its archive', async () => {
      const { store } = await longLog();
      const target = new InMemoryTarget();
      const first = mirror(store, target);
      await reaches(first, 30);
      await first.close();
      const other = new InMemoryEventStore();
      await appendTo(other, 'wf0');
      const before = content(target.memory);
      const reactor = mirror(other, new InMemoryTarget(target.memory));
      await blocked(reactor, /up to position 30, but the log ends at 1/);
      expect(content(target.memory)).toEqual(before);
    });
    it('when the log is another one', async () => {
      const memory = new TargetMemory();
      const first = mirror((await longLog()).store, new InMemoryTarget(memory));
      await reaches(first, 30);
      await first.close();
      const { store } = await longLog();
      await appendTo(store, 'wf0');
      const before = content(memory);
      await blocked(mirror(store, new InMemoryTarget(memory)), /position 30 of the log is not the commit/);
      expect(content(memory)).toEqual(before);
    });
    it('when the target refuses', async () => {
      const { store } = await longLog();
      const target = new InMemoryTarget();
      target.interfere = (_, stream) => {
        if (stream === 'workflow-wf3') throw new TargetRefusedError('the stream is deleted');
      };
      await blocked(mirror(store, target), /the stream is deleted/);
    });
    it('when somebody wrote a checkpoint that is none', async () => {
      const target = new InMemoryTarget();
      const strange = { id: eventId(0, 0), type: 'X', data: {}, metadata: {}, bytes: 1 };
      await target.append(checkpointStream, [strange], 'any');
      await blocked(mirror(new InMemoryEventStore(), target), /ends with X, no checkpoint/);
    });
  });
});
