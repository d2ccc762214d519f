import type { Event, Metadata, Recorded } from '@tinkerbell/events';
import {
  decodeCommit,
  encodeCommit,
  followsHead,
  hashOf,
  historyOf,
  type Kept,
  parseEnvelope,
  type StoredMessage,
} from './envelope';
import {
  type Appended,
  CommandIdReusedError,
  type Commit,
  ConcurrencyError,
  emptyHead,
  EventStore,
  type History,
  IntegrityError,
  type StreamHead,
  type SubscribeOptions,
} from './event-store';
import { searchPosition } from './position-at';
import { matchesSubject } from './subject-filter';

/**
 * The log in a list, for tests and tools; the same bytes, the same checks as the real one. Two stores over one `log` are a restart.
 * `now` is the clock of both the writer and the store.
 */
export class InMemoryEventStore extends EventStore {
  readonly #log: StoredMessage[];
  readonly #now: () => Date;
  readonly #waiting = new Set<() => void>();
  readonly #commandIds = new Map<string, string>();

  constructor({ log = [], now = () => new Date() }: { log?: StoredMessage[]; now?: () => Date } = {}) {
    super();
    this.#log = log;
    this.#now = now;
    for (const message of log) this.#commandIds.set(commandIdOf(message), message.stream);
  }

  async read<E extends Event>(stream: string, after: StreamHead = emptyHead): Promise<History<E>> {
    let head = after;
    const events: Recorded<E>[] = [];
    for (const message of this.#log) {
      if (message.stream !== stream || message.position <= after.position) continue;
      const commit = decodeCommit(message);
      head = followsHead(head, commit, message.expected);
      events.push(...(commit.events as readonly Recorded<E>[]));
    }
    return { events, head };
  }

  async last<E extends Event>(stream: string): Promise<History<E>> {
    return historyOf(this.#log.findLast((message) => message.stream === stream));
  }

  async append(
    stream: string,
    events: readonly Event[],
    { expected, metadata }: { readonly expected: StreamHead; readonly metadata: Metadata },
  ): Promise<Appended> {
    if (events.length === 0) return { head: expected, duplicate: false };
    const bytes = encodeCommit(stream, expected, events, metadata, this.#now());
    const last = this.#log.findLast((message) => message.stream === stream);
    if (last && commandIdOf(last) === metadata.id) return { head: headOf(last), duplicate: true };
    if ((last?.position ?? 0) !== expected.position) {
      throw new ConcurrencyError(stream, expected.position, last?.position ?? 0);
    }
    const usedBy = this.#commandIds.get(metadata.id);
    if (usedBy === stream && last) return { head: headOf(last), duplicate: true };
    if (usedBy !== undefined) throw new CommandIdReusedError(metadata.id, stream, usedBy);

    const position = (this.#log.at(-1)?.position ?? 0) + 1;
    const message = { position, stream, at: this.#now().toISOString(), bytes, expected: expected.position };
    this.#log.push(message);
    this.#commandIds.set(metadata.id, stream);
    this.#wake();
    return { head: headOf(message), duplicate: false, bytes: bytes.length };
  }

  async *subscribe(options: SubscribeOptions): AsyncIterable<Commit> {
    for await (const message of this.messages(options)) yield decodeCommit(message);
  }

  async *messages({ after, filters = [], signal }: SubscribeOptions): AsyncIterable<Kept> {
    let next = this.#log.findIndex(({ position }) => position > after);
    if (next < 0) next = this.#log.length;
    const wake = () => this.#wake();
    signal?.addEventListener('abort', wake);
    try {
      for (;;) {
        if (signal?.aborted || this.#closed) return;
        const message = this.#log[next];
        if (!message) {
          await new Promise<void>((resolve) => this.#waiting.add(resolve));
          continue;
        }
        next++;
        if (message.position <= after) continue;
        if (filters.length > 0 && !filters.some((filter) => matchesSubject(filter, message.stream))) continue;
        yield { ...message, id: idOf(message) };
      }
    } finally {
      signal?.removeEventListener('abort', wake);
    }
  }

  async lastPosition(filter?: string): Promise<number> {
    const wanted = ({ stream }: StoredMessage) => filter === undefined || matchesSubject(filter, stream);
    return this.#log.findLast(wanted)?.position ?? 0;
  }

  positionAt(time: number): Promise<number> {
    const next = async (position: number) => this.#log.find((message) => message.position >= position);
    return searchPosition(time, this.#log.at(-1)?.position ?? 0, next);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
  }

  #closed = false;

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }
}

function headOf(message: StoredMessage): StreamHead {
  const { version } = decodeCommit(message);
  return { position: message.position, version, hash: hashOf(message.bytes) };
}

function commandIdOf(message: StoredMessage): string {
  return decodeCommit(message).metadata.id;
}

/** Empty for what is no commit, as of a message that somebody stored without an id. */
function idOf({ stream, position, bytes }: StoredMessage): string {
  try {
    return parseEnvelope(stream, position, bytes).cid;
  } catch (error) {
    if (error instanceof IntegrityError) return '';
    throw error;
  }
}
