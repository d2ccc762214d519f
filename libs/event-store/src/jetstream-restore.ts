import { setTimeout as delay } from 'node:timers/promises';
import { streamNames } from '@tinkerbell/messaging';
import { headers, nanos, type NatsConnection } from 'nats';
import type { Kept } from './envelope';
import { atHeader } from './jetstream-messages';

/** The stream is not empty, or did not take a commit as it was: what was stored is of no use. */
export class RestoreError extends Error {}

/** Commits and bytes on their way at once; the server keeps their order. */
const inFlight = { commits: 1_000, bytes: 16 * 1024 * 1024 };
/** The shortest window for duplicates that a server takes. */
const windowMs = 100;
const ackMs = 30_000;

/**
 * Stores commits in an empty `TINK_EV` as they were: the same positions, ids, expectations and bytes, and their own time in a header.
 * Returns how many. Throws RestoreError; NatsError when the stream cannot be written.
 */
export async function restoreCommits(connection: NatsConnection, commits: AsyncIterable<Kept>): Promise<number> {
  const manager = await connection.jetstreamManager();
  const { config, state } = await manager.streams.info(streamNames.events);
  if (state.last_seq !== 0) throw new RestoreError(`the log is not empty: it has ${state.last_seq} commits`);
  await manager.streams.update(streamNames.events, { ...config, duplicate_window: nanos(windowMs) });
  const recent = new RecentIds();
  let count = 0;
  let pending: Promise<void>[] = [];
  let bytes = 0;
  for await (const commit of commits) {
    const repeated = recent.has(commit.id);
    if (repeated || pending.length === inFlight.commits || bytes > inFlight.bytes) {
      await allOf(pending);
      pending = [];
      bytes = 0;
    }
    if (repeated) await recent.forgotten();
    recent.add(commit.id);
    pending.push(storeOne(connection, commit));
    bytes += commit.bytes.length;
    count++;
  }
  await allOf(pending);
  await manager.streams.update(streamNames.events, { ...config });
  return count;
}

async function storeOne(connection: NatsConnection, commit: Kept): Promise<void> {
  const { position, stream, id, at, expected, bytes } = commit;
  const head = headers();
  head.set(atHeader, at);
  const { seq, duplicate } = await connection.jetstream().publish(stream, bytes, {
    msgID: id,
    headers: head,
    timeout: ackMs,
    expect: {
      streamName: streamNames.events,
      ...(expected === undefined ? {} : { lastSubjectSequence: expected }),
    },
  });
  if (duplicate || seq !== position) throw new RestoreError(`${stream} at ${position} was stored at ${seq}`);
}

/** As Promise.all, but leaves none behind that fails unheard. */
async function allOf(pending: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(pending)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/**
 * Ids that the server may still know. A log of years may hold a command id twice, years apart and in streams that have nothing to do
 * with each other; here the two may be milliseconds apart.
 */
class RecentIds {
  #newer = new Set<string>();
  #older = new Set<string>();
  #turnedAt = performance.now();

  has(id: string): boolean {
    return this.#newer.has(id) || this.#older.has(id);
  }

  add(id: string): void {
    if (performance.now() - this.#turnedAt > 5 * windowMs) {
      this.#older = this.#newer;
      this.#newer = new Set();
      this.#turnedAt = performance.now();
    }
    this.#newer.add(id);
  }

  async forgotten(): Promise<void> {
    await delay(5 * windowMs);
    this.#newer.clear();
    this.#older.clear();
  }
}
