import type { EventStore } from '@tinkerbell/event-store';
import { ArchiveMismatchError, type ArchiveTarget } from './archive-target';
import { eventId } from './event-id';

/** The newest commit up to which all of the log is in the target. It is kept in the target: who restores that one restores this too. */
export interface Checkpoint {
  readonly position: number;
  /** Of that commit's bytes: only the log that was mirrored has it at that position. */
  readonly hash: string;
}

export const checkpointStream = 'tinkerbell_archive';
const kept = 10;

export async function readCheckpoint(target: ArchiveTarget): Promise<Checkpoint> {
  const last = await target.last(checkpointStream);
  if (!last) {
    await target.keepLast(checkpointStream, kept);
    return { position: 0, hash: '' };
  }
  const { position, hash } = (last.data ?? {}) as Readonly<Record<string, unknown>>;
  if (last.type === 'ArchiveCheckpoint' && Number.isSafeInteger(position) && typeof hash === 'string') {
    return { position: Number(position), hash };
  }
  throw new ArchiveMismatchError(`stream ${checkpointStream} of the archive ends with ${last.type}, no checkpoint`);
}

export async function writeCheckpoint(target: ArchiveTarget, { position, hash }: Checkpoint): Promise<void> {
  // No event of the log has index -1.
  const id = eventId(position, -1);
  const event = { id, type: 'ArchiveCheckpoint', data: { position, hash }, metadata: {}, bytes: 200 };
  await target.append(checkpointStream, [event], 'any');
}

/** Throws ArchiveMismatchError when the commit at the checkpoint is not the one that was mirrored. */
export async function checkSameLog(store: EventStore, { position, hash }: Checkpoint): Promise<void> {
  if (position === 0) return;
  const end = await store.lastPosition();
  if (end < position) {
    throw new ArchiveMismatchError(
      `the archive has the log up to position ${position}, but the log ends at ${end}: it is the archive of another log, or the log was restored from an older backup`,
    );
  }
  const reading = new AbortController();
  try {
    for await (const commit of store.subscribe({ after: position - 1, signal: reading.signal })) {
      if (commit.position === position && commit.hash === hash) return;
      break;
    }
  } finally {
    reading.abort();
  }
  throw new ArchiveMismatchError(
    `position ${position} of the log is not the commit that was mirrored: it is the archive of another log`,
  );
}
