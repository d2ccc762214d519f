import { placeOf, type ArchiveEvent, type Place } from './archive-event';
import { ArchiveMismatchError, RevisionConflictError, type ArchiveTarget } from './archive-target';

/** Where a stream of the target ends. */
export type Head = 'no-stream' | (Place & { readonly revision: bigint });

/** KurrentDB takes 1 MiB an append unless it is told otherwise. */
const maxAppendBytes = 524_288;
const maxAppendEvents = 500;
const attempts = 3;

/** Brings streams of the target up to date. What is there already is found by its place, never written again. */
export class StreamWriter {
  private readonly heads = new Map<string, Head>();

  constructor(
    private readonly target: ArchiveTarget,
    /** Heads that are kept in memory; others are read from the target. */
    private readonly maxHeads = 10_000,
  ) {}

  /** `events`: of one stream, in the order of the log. Returns how many were missing. */
  async write(stream: string, events: readonly ArchiveEvent[]): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const head = this.heads.get(stream) ?? (await this.read(stream));
      const missing = missingFrom(stream, events, head);
      try {
        await this.append(stream, missing, head);
        return missing.length;
      } catch (error) {
        this.heads.delete(stream);
        // Somebody mirrors the same log, or an append of ours arrived that we had given up: the target knows.
        if (!(error instanceof RevisionConflictError) || attempt === attempts) throw error;
      }
    }
  }

  private async append(stream: string, events: readonly ArchiveEvent[], from: Head): Promise<void> {
    let head = from;
    for (const part of parts(events)) {
      const revision = await this.target.append(stream, part, head === 'no-stream' ? head : head.revision);
      const last = part.at(-1);
      if (last) head = { ...last.place, revision };
    }
    this.remember(stream, head);
  }

  private async read(stream: string): Promise<Head> {
    const last = await this.target.last(stream);
    if (!last) return 'no-stream';
    const place = placeOf(last);
    if (place) return { ...place, revision: last.revision };
    throw new ArchiveMismatchError(
      `stream ${stream} of the archive ends with ${last.type} at revision ${last.revision}, which was not mirrored from a log`,
    );
  }

  private remember(stream: string, head: Head): void {
    this.heads.delete(stream);
    this.heads.set(stream, head);
    if (this.heads.size <= this.maxHeads) return;
    const [oldest] = this.heads.keys();
    if (oldest !== undefined) this.heads.delete(oldest);
  }
}

/** Those that come after `head`. Throws ArchiveMismatchError when they do not follow it. */
export function missingFrom(stream: string, events: readonly ArchiveEvent[], head: Head): readonly ArchiveEvent[] {
  const missing = head === 'no-stream' ? events : events.filter(({ place }) => isAfter(place, head));
  let last: Place | 'no-stream' = head;
  for (const { place } of missing) {
    if (!follows(place, last)) {
      const end =
        last === 'no-stream' ? 'does not exist' : `ends with commit ${last.version} (position ${last.position})`;
      throw new ArchiveMismatchError(
        `stream ${stream} of the archive ${end}, the log goes on with commit ${place.version} (position ${place.position}): ` +
          'events are missing in the archive, or it is the archive of another log',
      );
    }
    last = place;
  }
  return missing;
}

function isAfter(place: Place, head: Place): boolean {
  return place.position > head.position || (place.position === head.position && place.index > head.index);
}

function follows(next: Place, last: Place | 'no-stream'): boolean {
  if (last === 'no-stream') return next.version === 1 && next.index === 0;
  if (next.position === last.position) return next.index === last.index + 1;
  return next.version === last.version + 1 && next.index === 0 && last.index === last.count - 1;
}

function* parts(events: readonly ArchiveEvent[]): Generator<readonly ArchiveEvent[]> {
  let part: ArchiveEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    if (part.length === maxAppendEvents || (part.length > 0 && bytes + event.bytes > maxAppendBytes)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += event.bytes;
  }
  if (part.length > 0) yield part;
}
