import { InvalidError } from '@tinkerbell/domain';
import {
  type EventStore,
  keyIdOf,
  type Kept,
  type LogLine,
  type LogMark,
  logFileLines,
  type SealedLine,
} from '@tinkerbell/event-store';
import type { AuditKey } from '@tinkerbell/identity';
import type { AuditEvent } from '@tinkerbell/events';
import { BlobDamagedError, type Blobs } from '@tinkerbell/messaging';
import { auditStream } from './checked-log';
import type { SealedValues } from './sealed-values';

export interface AuditKeyView {
  readonly keyId: string;
  /** PEM. */
  readonly publicKey: string;
  /** Of a site that this log was restored from. */
  readonly former: boolean;
}

export interface ExportOptions {
  readonly bodies: boolean;
  readonly secrets: boolean;
  /** Only what comes after this position, which a checkpoint has to cover exactly. */
  readonly since?: number | undefined;
}

/** The whole log as lines of a file that can be checked without this server. */
export class AuditExport {
  constructor(
    private readonly store: EventStore,
    /** What lies beside the log. */
    private readonly beside: { readonly blobs: Pick<Blobs, 'get'>; readonly sealed: Pick<SealedValues, 'lines'> },
    private readonly key: AuditKey,
    private readonly version: string,
    /** How far the server knows to have read the log. */
    private readonly seen: () => LogMark | undefined,
  ) {}

  keys(): readonly AuditKeyView[] {
    const view = (former: boolean) => (publicKey: string) => ({ keyId: keyIdOf(publicKey), publicKey, former });
    return [view(false)(this.key.publicKey), ...this.key.formerKeys.map(view(true))];
  }

  /**
   * `bodies`: with the bodies that the log refers to, which makes it a backup. `secrets`: with the sealed values, read before and after
   * the end of the log is known: one that is set or replaced meanwhile is there as the log names it.
   */
  async *lines({ bodies, secrets, since }: ExportOptions, signal: AbortSignal): AsyncGenerator<LogLine> {
    const seen = this.seen();
    const mark = since === undefined ? undefined : await this.checkpointAt(since);
    const before = secrets ? await this.beside.sealed.lines() : [];
    const last = await this.store.lastPosition();
    const after = secrets ? await this.beside.sealed.lines() : [];
    yield* logFileLines({
      product: this.version,
      createdAt: new Date().toISOString(),
      signer: this.key,
      formerKeys: this.key.formerKeys,
      seen,
      commits: readUpTo(this.store, last, signal, { after: mark?.position ?? 0 }),
      last,
      ...(mark ? { since: mark } : {}),
      ...(bodies ? { body: (sha256) => this.body(sha256) } : {}),
      ...(secrets ? { sealed: latest([...before, ...after]) } : {}),
    });
  }

  private async checkpointAt(position: number): Promise<LogMark> {
    const { events } = await this.store.read<AuditEvent>(auditStream);
    const found = events.findLast(({ event }) => event.data.position === position);
    if (found) return { position, hash: found.event.data.hash };
    const last = events.slice(-3).map(({ event }) => event.data.position);
    const others = last.length === 0 ? 'there is none yet' : `the last ones cover ${last.join(', ')}`;
    throw new InvalidError('since', `no checkpoint covers the log up to exactly position ${position}: ${others}`);
  }

  private async body(sha256: string): Promise<Uint8Array | undefined> {
    try {
      return await this.beside.blobs.get(sha256);
    } catch (error) {
      if (error instanceof BlobDamagedError) return undefined; // as good as lost; the file says so
      throw error;
    }
  }
}

function latest(lines: readonly SealedLine[]): readonly SealedLine[] {
  return [...new Map(lines.map((line) => [`${line.bucket} ${line.sealed}`, line])).values()];
}

/** The log as it is stored, from its first commit to the one at `last`, which `filter` has to let through. */
export async function* readUpTo(
  store: EventStore,
  last: number,
  signal: AbortSignal,
  { after = 0, filter }: { readonly after?: number; readonly filter?: string | undefined } = {},
): AsyncGenerator<Kept> {
  if (last <= after) return;
  for await (const message of store.messages({ after, signal, ...(filter && { filters: [filter] }) })) {
    if (message.position <= last) yield message;
    if (message.position >= last) return;
  }
}
