import type { AuditEvent, Recorded } from '@tinkerbell/events';
import {
  type Checkpoint,
  emptyHead,
  emptyLogHash,
  HashWindow,
  type Kept,
  leafOf,
  type LogMark,
  parseCommit,
  roll,
  sha256Of,
  type StreamHead,
  type TrustedKeys,
} from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';

export const auditStream = subjects.stream('audit', 'log');

/** The log is not what this server or its checkpoints remember. Nothing more is signed. */
export class LogTamperedError extends Error {}

/**
 * The rolling hash of the log as it is read, compared with every checkpoint on the way. Begins at the last but one checkpoint, so that
 * the hash which it goes on from has been computed here from bytes as well as read.
 */
export class CheckedLog {
  position = 0;
  hash = emptyLogHash;
  /** Commits since the start of the reading, those of the audit itself not counted; and how many of them are covered. */
  commits = 0;
  commitsCovered = 0;
  covered = 0;
  /** Of the audit's own stream, as far as it was read. */
  head: StreamHead = emptyHead;
  private readonly window = new HashWindow();

  constructor(
    private readonly keys: TrustedKeys,
    private readonly warn: (line: string) => void,
    checkpoints: readonly Recorded<AuditEvent>[],
    private readonly remembered?: LogMark,
  ) {
    const good = checkpoints.map(({ event }) => event.data).filter((data) => keys.judgeCheckpoint(data) === 'good');
    const start = good.at(-2);
    if (!start) return;
    this.position = this.covered = start.position;
    this.hash = start.hash;
    this.window.add({ position: start.position, leaf: '', hash: start.hash, commits: 0 });
  }

  get uncovered(): number {
    return this.commits - this.commitsCovered;
  }

  /** Throws LogTamperedError. */
  take(message: Kept): void {
    const { position, stream, bytes } = message;
    const leaf = leafOf(message, sha256Of(bytes));
    this.position = position;
    this.hash = roll(this.hash, leaf);
    if (stream !== auditStream) this.commits++;
    this.window.add({ position, leaf, hash: this.hash, commits: this.commits });
    if (this.remembered?.position === position && this.remembered.hash !== this.hash) {
      throw new LogTamperedError(`the log up to position ${position} is not what this server read before`);
    }
    if (stream === auditStream) this.takeCheckpoint(message);
  }

  /** What was signed is covered, also before it has been read. */
  cover(position: number, commits: number, head: StreamHead): void {
    this.covered = Math.max(this.covered, position);
    this.commitsCovered = Math.max(this.commitsCovered, commits);
    if (head.position > this.head.position) this.head = head;
  }

  private takeCheckpoint(message: Kept): void {
    const { position, version, hash, events } = parseCommit(message);
    const head = { position, version, hash };
    if (position > this.head.position) this.head = head;
    for (const { type, data } of events) {
      if (type === 'AuditCheckpointed') this.compare(data as Checkpoint, head);
    }
  }

  private compare(checkpoint: Checkpoint, head: StreamHead): void {
    const verdict = this.keys.judgeCheckpoint(checkpoint);
    if (verdict !== 'good') return this.warn(`the checkpoint at position ${head.position} has a ${verdict} signature`);
    const rolled = this.window.at(checkpoint.position);
    if (!rolled) return; // of before the start
    if (rolled.hash !== checkpoint.hash) {
      throw new LogTamperedError(
        `the log up to position ${checkpoint.position} is not what was signed at position ${head.position}`,
      );
    }
    this.cover(checkpoint.position, rolled.commits, head);
  }
}
