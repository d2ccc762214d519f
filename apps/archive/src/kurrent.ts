import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import {
  ArchiveConfigError,
  ArchiveTarget,
  RevisionConflictError,
  TargetRefusedError,
  TargetUnavailableError,
  type Expected,
  type LastEvent,
  type TargetEvent,
} from './archive-target';

type Kurrent = typeof import('@kurrent/kurrentdb-client');

/** The client's own deadline is 10 s; a call of which it hears nothing more would wait for ever. */
const answerMs = 15_000;

/**
 * A KurrentDB server or cluster. The client is loaded only here and only when it is asked for. Throws ArchiveConfigError when the
 * connection string is wrong or this platform has no client; whether a server is there shows only when it is used.
 */
export async function openKurrent(url: string): Promise<ArchiveTarget> {
  const kurrent = await import('@kurrent/kurrentdb-client').catch((error: unknown) => {
    throw new ArchiveConfigError(
      `TINK_ARCHIVE_KURRENTDB_URL is set, but the client of KurrentDB cannot be loaded here: ${textOf(error)}`,
      { cause: error },
    );
  });
  try {
    return new KurrentTarget(kurrent, kurrent.KurrentDBClient.connectionString(url));
  } catch (error) {
    throw new ArchiveConfigError(`TINK_ARCHIVE_KURRENTDB_URL: ${reasonOf(error, url)}`);
  }
}

class KurrentTarget extends ArchiveTarget {
  constructor(
    private readonly kurrent: Kurrent,
    private readonly client: KurrentDBClient,
  ) {
    super();
  }

  async last(stream: string): Promise<LastEvent | undefined> {
    const { BACKWARDS, END, StreamNotFoundError } = this.kurrent;
    const read = async () => {
      const options = { direction: BACKWARDS, fromRevision: END, maxCount: 1, requiresLeader: true } as const;
      for await (const { event } of this.client.readStream(stream, options)) {
        if (event) return event;
      }
      return undefined;
    };
    try {
      const event = await answered(read());
      if (!event) return undefined;
      const { id, revision, type, data, metadata } = event;
      return { id, revision, type, data, metadata };
    } catch (error) {
      if (error instanceof StreamNotFoundError) return undefined;
      throw this.translated(error, stream, 'any');
    }
  }

  async append(stream: string, events: readonly TargetEvent[], expected: Expected): Promise<bigint> {
    const { ANY, jsonEvent, NO_STREAM } = this.kurrent;
    const data = events.map((event) =>
      jsonEvent({
        id: event.id,
        type: event.type,
        data: event.data as Readonly<Record<string, unknown>>,
        metadata: event.metadata,
      }),
    );
    const streamState = expected === 'any' ? ANY : expected === 'no-stream' ? NO_STREAM : expected;
    try {
      const { nextExpectedRevision } = await answered(
        this.client.appendToStream(stream, data, { streamState, requiresLeader: true }),
      );
      return nextExpectedRevision;
    } catch (error) {
      throw this.translated(error, stream, expected);
    }
  }

  async keepLast(stream: string, count: number): Promise<void> {
    try {
      await answered(this.client.setStreamMetadata(stream, { maxCount: count }));
    } catch (error) {
      throw this.translated(error, stream, 'any');
    }
  }

  async close(): Promise<void> {
    await this.client.dispose();
  }

  private translated(error: unknown, stream: string, expected: Expected): Error {
    const { kurrent } = this;
    if (error instanceof kurrent.WrongExpectedVersionError) return new RevisionConflictError(stream, expected);
    const refusals = [
      ...[kurrent.MaxAppendSizeExceededError, kurrent.AppendRecordSizeExceededError],
      ...[kurrent.StreamDeletedError, kurrent.StreamTombstonedError, kurrent.InvalidArgumentError],
    ];
    const text = `stream ${stream} of the archive: ${textOf(error)}`;
    if (refusals.some((kind) => error instanceof kind)) return new TargetRefusedError(text, { cause: error });
    return new TargetUnavailableError(text, { cause: error });
  }
}

async function answered<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TargetUnavailableError(`no answer within ${answerMs / 1000} s`)), answerMs);
  });
  try {
    return await Promise.race([call, patience]);
  } finally {
    clearTimeout(timer);
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' || error.message === error.name ? error.constructor.name : error.message;
}

/** Why the string is wrong, without the password that may stand in it. */
function reasonOf(error: unknown, url: string): string {
  const text = textOf(error);
  const credentials = /:\/\/([^@/]*)@/.exec(url)?.[1];
  if (text.includes(url) || (credentials !== undefined && text.includes(credentials))) {
    return 'it is no connection string of KurrentDB, e.g. kurrentdb://user:password@host:2113?tls=true';
  }
  return text;
}
