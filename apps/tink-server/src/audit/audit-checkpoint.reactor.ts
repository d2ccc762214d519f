import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEvent } from '@tinkerbell/events';
import { ConcurrencyError, type EventStore, type LogMark, signCheckpoint, TrustedKeys } from '@tinkerbell/event-store';
import type { AuditKey } from '@tinkerbell/identity';
import { ServerLogger } from '../log';
import { auditStream, CheckedLog, LogTamperedError } from './checked-log';
import type { LogMemory } from './log-memory';

export interface CheckpointOptions {
  /** A checkpoint is due after so many commits … */
  readonly commits: number;
  /** … and so many seconds after the first commit that none covers. */
  readonly seconds: number;
}

/** Commits that may come between what is signed and the checkpoint, at most; a verifier remembers many more. */
const mostLag = 1_000;
const retryMs = 1_000;
const memoryMs = 10_000;
/** How long an orderly end waits for its checkpoint. */
const patienceMs = 5_000;

/** Signs the whole log again and again (ADR on signed checkpoints). A checkpoint never makes another one due. */
export class AuditCheckpointReactor {
  private readonly logger = new ServerLogger('audit-checkpoint');
  private readonly stop = new AbortController();
  private log: CheckedLog | undefined;
  private remembered: LogMark | undefined;
  private running: Promise<void> = Promise.resolve();
  private signing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private writtenAt = 0;
  /** Position of the newest commit when we last asked. */
  private newest = 0;
  /** Why nothing is signed any more. */
  fault: string | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly key: AuditKey,
    private readonly options: CheckpointOptions,
    private readonly memory: LogMemory,
  ) {}

  /** How far the log has been read, and its rolling hash there; after a fault what was remembered before. */
  get seen(): LogMark | undefined {
    if (this.fault !== undefined || !this.log || this.log.position === 0) return this.remembered;
    const { position, hash } = this.log;
    return position < (this.remembered?.position ?? 0) ? this.remembered : { position, hash };
  }

  /** Position up to which the log is signed. */
  get covered(): number {
    return this.log?.covered ?? 0;
  }

  start(): void {
    this.remembered = this.memory.read();
    this.running = this.run();
  }

  /** Signs what is not covered yet, if the log can be reached. */
  async close(): Promise<void> {
    const late = new AbortController();
    await Promise.race([
      this.finish().catch((error: unknown) => this.logger.warn(`the last commits are not signed: ${String(error)}`)),
      delay(patienceMs, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    this.stop.abort();
    clearTimeout(this.timer);
    await this.running;
    if (this.fault === undefined) this.remember();
  }

  private async run(): Promise<void> {
    while (!this.stop.signal.aborted && this.fault === undefined) {
      try {
        await this.follow();
      } catch (error) {
        if (error instanceof LogTamperedError) this.refuse(error);
        else {
          this.logger.warn(`the log cannot be signed now: ${String(error)}`);
          await delay(retryMs, undefined, { signal: this.stop.signal }).catch(() => undefined);
        }
      }
    }
  }

  private async follow(): Promise<void> {
    const { signal } = this.stop;
    const last = await this.store.lastPosition();
    this.newest = last;
    if (last < (this.remembered?.position ?? 0)) {
      throw new LogTamperedError(
        `the log ends at position ${last}, but this server has read it up to ${this.remembered?.position}`,
      );
    }
    const { events } = await this.store.read<AuditEvent>(auditStream);
    const keys = new TrustedKeys([this.key, ...this.key.formerKeys.map((publicKey) => ({ publicKey }))]);
    const log = new CheckedLog(keys, (line) => this.logger.warn(line), events, this.remembered);
    this.log = log;
    for await (const message of this.store.messages({ after: log.position, signal })) {
      log.take(message);
      this.rememberAtTimes();
      if (log.position + mostLag < this.newest) continue; // still catching up
      if (log.uncovered >= this.options.commits) void this.sign();
      else if (log.uncovered > 0) this.signLater();
    }
  }

  private refuse(error: LogTamperedError): void {
    this.fault = error.message;
    this.logger.error(
      `${error.message}. Nothing is signed any more; "tink audit verify" says where. If the log was put back to an older state on ` +
        `purpose, stop the server and remove ${this.memory.file}.`,
    );
  }

  private signLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.sign();
    }, this.options.seconds * 1000).unref();
  }

  /** One at a time; whoever comes while one is on its way waits for that. */
  private sign(): Promise<void> {
    this.signing ??= this.signOnce()
      .catch((error: unknown) => {
        if (error instanceof ConcurrencyError) return; // another server signed: its checkpoint is on its way to us
        this.logger.warn(`no checkpoint yet: ${String(error)}`);
        if (this.stop.signal.aborted) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
          this.timer = undefined;
          void this.sign();
        }, retryMs).unref();
      })
      .finally(() => (this.signing = undefined));
    return this.signing;
  }

  private async signOnce(): Promise<void> {
    const { log } = this;
    if (!log || this.fault !== undefined || log.uncovered === 0) return;
    this.newest = await this.store.lastPosition();
    if (log.position + mostLag < this.newest) return; // what is read next asks again
    const { position, hash, commits, head } = log;
    const data = signCheckpoint(this.key, position, hash);
    const metadata = { id: `audit:${position}:${hash.slice(0, 16)}`, actor: 'reactor:audit-checkpoint' };
    const event = { type: 'AuditCheckpointed', v: 1, data } as const;
    const appended = await this.store.append(auditStream, [event], { expected: head, metadata });
    log.cover(position, commits, appended.head);
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async finish(): Promise<void> {
    const { log } = this;
    if (!log || this.fault !== undefined) return;
    const last = await this.store.lastPosition();
    while (log.position < last && this.fault === undefined && !this.stop.signal.aborted) await delay(5);
    await this.signing;
    if (log.uncovered > 0) await this.sign();
  }

  private rememberAtTimes(): void {
    if (Date.now() - this.writtenAt < memoryMs) return;
    this.remember();
  }

  private remember(): void {
    this.writtenAt = Date.now();
    const { seen } = this;
    try {
      if (seen) this.memory.write(seen);
    } catch (error) {
      this.logger.warn(`${this.memory.file} cannot be written: ${String(error)}`);
    }
  }
}
