import { IntegrityError, UnknownEventError, type Commit, type EventStore } from '@tinkerbell/event-store';
import { pause } from '@tinkerbell/messaging';
import { archiveCommit, type ArchiveCommit, type ArchiveEvent } from './archive-event';
import { ArchiveMismatchError, TargetRefusedError, type ArchiveTarget } from './archive-target';
import { batches } from './batches';
import { checkSameLog, readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint';
import { StreamWriter } from './stream-writer';

export interface ArchiveOptions {
  readonly log: (line: string) => void;
  /** Pause after a failure, in milliseconds: doubled each time up to the longest. */
  readonly retryMs?: { readonly shortest: number; readonly longest: number };
  /** Commits that are read together. */
  readonly batchItems?: number;
  /** Time without a commit after which the checkpoint is written, in milliseconds. */
  readonly idleMs?: number;
  /** Commits after which it is written at the latest. */
  readonly checkpointEvery?: number;
}

const batchBytes = 2 * 1_048_576;
const lingerMs = 5;
/** Streams that are written at the same time. */
const width = 8;
const closeMs = 2_000;

/**
 * Copies the log to the target, one way. It reads as fast as the target takes, starts again after every failure from what the target
 * has, and stops for good only when going on would make the copy wrong.
 */
export class ArchiveReactor {
  private readonly stopping = new AbortController();
  private writer: StreamWriter;
  private running: Promise<void> | undefined;
  private failures = 0;
  private unsaved: Checkpoint | undefined;
  private sinceCheckpoint = 0;
  private reached = 0;
  private end = 0;
  private blockedBy: string | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly target: ArchiveTarget,
    private readonly options: ArchiveOptions,
  ) {
    this.writer = new StreamWriter(target);
  }

  start(): void {
    this.running = this.run();
  }

  /** Of the log: up to where all of it is in the target. */
  get position(): number {
    return this.reached;
  }

  /** Commits of the log that are not in the target yet, as far as was seen last. */
  get lag(): number {
    return Math.max(this.end - this.reached, 0);
  }

  /** Why it has stopped for good. */
  get blocked(): string | undefined {
    return this.blockedBy;
  }

  /** Failed tries since the last success. */
  get failing(): number {
    return this.failures;
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
    const unsaved = this.unsaved;
    // Without it the next start looks at a few commits again.
    if (unsaved) await atMost(writeCheckpoint(this.target, unsaved), closeMs);
    await this.target.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const { shortest, longest } = this.options.retryMs ?? { shortest: 1_000, longest: 60_000 };
    while (!signal.aborted) {
      try {
        await this.follow();
        return;
      } catch (error) {
        if (signal.aborted) return;
        const text = error instanceof Error ? error.message : String(error);
        if (isFinal(error)) {
          this.blockedBy = text;
          this.options.log(`archive: stopped, the log is no longer mirrored: ${text}`);
          return;
        }
        if (this.failures++ === 0) this.options.log(`archive: behind, trying again until it works: ${text}`);
        // What the target has is asked anew.
        this.writer = new StreamWriter(this.target);
        await pause(Math.min(shortest * 2 ** Math.min(this.failures - 1, 20), longest), signal);
        this.end = Math.max(this.end, await this.store.lastPosition().catch(() => 0));
      }
    }
  }

  /** Until aborted, or until something fails. */
  private async follow(): Promise<void> {
    const checkpoint = await readCheckpoint(this.target);
    await checkSameLog(this.store, checkpoint);
    this.unsaved = undefined;
    this.sinceCheckpoint = 0;
    this.reached = checkpoint.position;
    const reading = new AbortController();
    const stop = () => reading.abort();
    this.stopping.signal.addEventListener('abort', stop);
    if (this.stopping.signal.aborted) stop();
    const commits = mapped(this.store.subscribe({ after: checkpoint.position, signal: reading.signal }));
    const { batchItems: items = 256, idleMs = 1_000 } = this.options;
    const limits = { items, bytes: batchBytes, lingerMs, idleMs, sizeOf: ({ bytes }: ArchiveCommit) => bytes };
    try {
      for await (const batch of batches(commits, limits)) await this.take(batch);
    } finally {
      stop();
      this.stopping.signal.removeEventListener('abort', stop);
    }
  }

  private async take(batch: readonly ArchiveCommit[]): Promise<void> {
    this.end = Math.max(this.end, batch.at(-1)?.position ?? 0, await this.store.lastPosition());
    await this.mirror(batch);
    const last = batch.at(-1);
    if (last) {
      this.unsaved = { position: last.position, hash: last.hash };
      this.reached = last.position;
      this.sinceCheckpoint += batch.length;
    }
    if (this.failures > 0) this.options.log(`archive: working again at position ${this.reached}`);
    this.failures = 0;
    const due = batch.length === 0 || this.sinceCheckpoint >= (this.options.checkpointEvery ?? 1_000);
    if (!this.unsaved || !due) return;
    await writeCheckpoint(this.target, this.unsaved);
    this.unsaved = undefined;
    this.sinceCheckpoint = 0;
  }

  /** Each stream in its order, several of them at once. */
  private async mirror(batch: readonly ArchiveCommit[]): Promise<void> {
    const streams = new Map<string, ArchiveEvent[]>();
    for (const { stream, events } of batch) {
      const list = streams.get(stream) ?? [];
      streams.set(stream, list);
      list.push(...events);
    }
    const queue = streams.entries();
    const faults: unknown[] = [];
    const lane = async () => {
      for (const [stream, events] of queue) {
        if (faults.length > 0) return;
        await this.writer.write(stream, events).catch((error: unknown) => faults.push(error));
      }
    };
    await Promise.all(Array.from({ length: Math.min(width, streams.size) }, lane));
    if (faults.length > 0) throw faults.find(isFinal) ?? faults[0];
  }
}

async function* mapped(commits: AsyncIterable<Commit>): AsyncGenerator<ArchiveCommit> {
  for await (const commit of commits) yield archiveCommit(commit);
}

function isFinal(error: unknown): boolean {
  const kinds = [ArchiveMismatchError, TargetRefusedError, IntegrityError, UnknownEventError];
  return kinds.some((kind) => error instanceof kind);
}

async function atMost(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work.catch(() => undefined), patience]);
  clearTimeout(timer);
}
