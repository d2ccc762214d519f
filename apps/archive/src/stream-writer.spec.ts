import { InMemoryEventStore } from '@tinkerbell/event-store';
import { beforeEach, describe, expect, it } from 'vitest';
import { archiveCommit, type ArchiveEvent } from './archive-event';
import { ArchiveMismatchError, RevisionConflictError, TargetUnavailableError } from './archive-target';
import { StreamWriter } from './stream-writer';
import { InMemoryTarget } from './testing/in-memory-target';
import { appendTo, event } from './testing/log';

const stream = 'workflow-wf';
let target: InMemoryTarget;
let log: readonly ArchiveEvent[];
const idsIn = (one = target) => one.memory.eventsOf(stream).map(({ id }) => id);
const idsOf = (events: readonly ArchiveEvent[]) => events.map(({ id }) => id);

/** Commits of 1, 2 and 3 events; `filling`: bytes of each. */
async function read(filling = 0): Promise<readonly ArchiveEvent[]> {
  const store = new InMemoryEventStore();
  for (const count of [1, 2, 3]) {
    await appendTo(
      store,
      'wf',
      Array.from({ length: count }, (_, n) => event(n, filling)),
    );
  }
  const found: ArchiveEvent[] = [];
  for await (const commit of store.subscribe({ after: 0 })) {
    found.push(...archiveCommit(commit).events);
    if (commit.position === 3) break;
  }
  return found;
}
beforeEach(async () => {
  target = new InMemoryTarget();
  log = await read();
});

describe('StreamWriter', () => {
  it('writes a stream once, whoever has written which part of it', async () => {
    for (const cut of [1, 3, 6]) {
      const target = new InMemoryTarget();
      expect(await new StreamWriter(target).write(stream, log.slice(0, cut))).toBe(cut);
      const writer = new StreamWriter(target);
      expect(await writer.write(stream, log)).toBe(6 - cut);
      expect(await writer.write(stream, log)).toBe(0);
      expect(idsIn(target)).toEqual(idsOf(log));
    }
  });

  it('goes on in the middle of a commit that was too large for one append', async () => {
    log = await read(300_000);
    const dying = new InMemoryTarget(target.memory);
    let appends = 0;
    dying.interfere = (when) => {
      if (when === 'before' && ++appends === 5) throw new TargetUnavailableError('died');
    };
    await expect(new StreamWriter(dying).write(stream, log)).rejects.toThrow('died');
    expect(idsIn()).toEqual(idsOf(log.slice(0, 4)));
    expect(await new StreamWriter(target).write(stream, log)).toBe(2);
    expect(idsIn()).toEqual(idsOf(log));
  });

  it('looks what is there when another one has written', async () => {
    const writer = new StreamWriter(target);
    await writer.write(stream, log.slice(0, 1));
    await new StreamWriter(new InMemoryTarget(target.memory)).write(stream, log.slice(0, 3));
    expect(await writer.write(stream, log.slice(1))).toBe(3);
    expect(idsIn()).toEqual(idsOf(log));
  });

  it('looks what is there when it was not told that its append was stored', async () => {
    let lost = 1;
    target.interfere = (when) => {
      if (when === 'after' && lost-- > 0) throw new TargetUnavailableError('the answer was lost');
    };
    const writer = new StreamWriter(target);
    await expect(writer.write(stream, log)).rejects.toThrow('the answer was lost');
    expect(await writer.write(stream, log)).toBe(0);
    expect(idsIn()).toEqual(idsOf(log));
  });

  it('gives up after some conflicts', async () => {
    let tries = 0;
    target.interfere = () => {
      tries++;
      throw new RevisionConflictError(stream, 0n);
    };
    await expect(new StreamWriter(target).write(stream, log)).rejects.toThrow(RevisionConflictError);
    expect(tries).toBe(3);
  });

  it('forgets heads that it has no room for, and reads them again', async () => {
    const writer = new StreamWriter(target, 1);
    await writer.write(stream, log.slice(0, 1));
    await writer.write('workflow-other', log.slice(0, 1));
    expect(await writer.write(stream, log)).toBe(5);
    expect(idsIn()).toEqual(idsOf(log));
  });

  it.each([
    ['a stream that is not there', 0, 1, /does not exist, the log goes on with commit 2/],
    ['a commit', 1, 3, /ends with commit 1 \(position 1\), the log goes on with commit 3 \(position 3\)/],
    ['the rest of a commit', 2, 3, /ends with commit 2 .* the log goes on with commit 3/],
    ['an event in a commit', 3, 4, /ends with commit 2 .* the log goes on with commit 3/],
  ])('does not write over a gap: %s is missing', async (_, there, from, message) => {
    if (there > 0) await target.append(stream, log.slice(0, there), 'no-stream');
    const write = new StreamWriter(target).write(stream, log.slice(from));
    await expect(write).rejects.toThrow(ArchiveMismatchError);
    await expect(new StreamWriter(target).write(stream, log.slice(from))).rejects.toThrow(message);
    expect(idsIn()).toEqual(idsOf(log.slice(0, there)));
  });

  it('does not write behind events of somebody else', async () => {
    const foreign = { id: '00000000-0000-4000-8000-000000000000', type: 'Foreign', data: {}, metadata: {}, bytes: 1 };
    await target.append(stream, [foreign], 'no-stream');
    await expect(new StreamWriter(target).write(stream, log)).rejects.toThrow(
      `stream ${stream} of the archive ends with Foreign at revision 0, which was not mirrored from a log`,
    );
  });
});
