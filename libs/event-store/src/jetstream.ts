import type { Event, Metadata, Recorded } from '@tinkerbell/events';
import {
  Answers,
  type BusOptions,
  connectNats,
  type OrderedMessage,
  readOrdered,
  streamNames,
  StreamPublisher,
  subjects,
} from '@tinkerbell/messaging';
import {
  AckPolicy,
  createInbox,
  DeliverPolicy,
  type JetStreamManager,
  type NatsConnection,
  nanos,
  NatsError,
} from 'nats';
import { decodeCommit, encodeCommit, followsHead, hashOf, historyOf, type Kept, type StoredMessage } from './envelope';
import {
  type Appended,
  CommandIdReusedError,
  type Commit,
  CommitTooLargeError,
  ConcurrencyError,
  emptyHead,
  EventStore,
  type History,
  StoreUnavailableError,
  type StreamHead,
  type SubscribeOptions,
} from './event-store';
import { checkServer, describeFacts, type GateOptions, hasVersion, type StoreFacts } from './jetstream-gate';
import {
  atHeader,
  fromHeaders,
  fromStored,
  IncompleteAnswerError,
  readSubjectInBatches,
  timeOf,
} from './jetstream-messages';
import { searchPosition } from './position-at';

export interface JetStreamOptions extends GateOptions {
  /** How long an append or a read tries before it gives up with StoreUnavailableError; default 10 s. */
  readonly patienceMs?: number;
  /** How long one attempt waits for the server's acknowledgement; default 3 s. */
  readonly attemptMs?: number;
  /** What is wrong with the server, when somebody here knows: `NatsServer.problem`. Ends the waiting and explains it. */
  readonly problem?: () => string | undefined;
  readonly log?: (line: string) => void;
}

type Outcome = { readonly kind: 'stored'; readonly seq: number } | { readonly kind: 'duplicate'; readonly seq: number };

/** err_code of the JetStream API. */
const code = {
  wrongLastSequence: 10071,
  inFlight: 10164,
  /** In a cluster: our own earlier attempt has not been stored or dropped yet. */
  sameIdInFlight: 10158,
  tooLarge: 10054,
  storeFailed: 10077,
  noSpace: 10047,
  noResources: 10023,
};
const notFound = 404;
const defaultAttemptMs = 3000;

/** The log on stream `TINK_EV`: one message per commit, guarded by the position of the subject's last one. */
export class JetStreamEventStore extends EventStore {
  readonly #publisher: StreamPublisher;
  readonly #answers: Answers;
  #connected = true;
  #restored: boolean | undefined;
  /** Ends what waits for an answer on the connection that was lost. */
  readonly #onDisconnect = new Set<(reason: Error) => void>();

  private constructor(
    private readonly connection: NatsConnection,
    private readonly manager: JetStreamManager,
    readonly facts: StoreFacts,
    private readonly options: JetStreamOptions & { readonly ownsConnection: boolean },
  ) {
    super();
    const [nats, attemptMs] = [{ createInbox, NatsError }, options.attemptMs ?? defaultAttemptMs];
    this.#publisher = new StreamPublisher(nats, connection, attemptMs);
    this.#answers = new Answers(nats, connection, attemptMs);
    void this.#watchConnection();
  }

  /** Throws StoreUnsuitableError when the server is not fit for the log, BusForbiddenError or BusUnavailableError as connectNats does. */
  static async connect(options: BusOptions & JetStreamOptions): Promise<JetStreamEventStore> {
    const connection = await connectNats(options);
    try {
      return await JetStreamEventStore.#open(connection, { ...options, ownsConnection: true });
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** On a connection that somebody else closes. `servers` and `ca` are needed with `systemCreds`. */
  static fromConnection(connection: NatsConnection, options: JetStreamOptions): Promise<JetStreamEventStore> {
    return JetStreamEventStore.#open(connection, { ...options, ownsConnection: false });
  }

  static async #open(
    connection: NatsConnection,
    options: JetStreamOptions & { readonly ownsConnection: boolean },
  ): Promise<JetStreamEventStore> {
    const facts = await checkServer(connection, options);
    options.log?.(describeFacts(facts));
    const manager = await connection.jetstreamManager({
      checkAPI: false,
      timeout: options.attemptMs ?? defaultAttemptMs,
    });
    return new JetStreamEventStore(connection, manager, facts, options);
  }

  async read<E extends Event>(stream: string, after: StreamHead = emptyHead): Promise<History<E>> {
    const messages = await this.#patiently(`${stream} cannot be read`, () => this.#messagesOf(stream, after.position));
    let head = after;
    const events: Recorded<E>[] = [];
    for (const message of messages) {
      const commit = decodeCommit(message);
      head = followsHead(head, commit, message.expected);
      events.push(...(commit.events as readonly Recorded<E>[]));
    }
    return { events, head };
  }

  async last<E extends Event>(stream: string): Promise<History<E>> {
    return historyOf(await this.#patiently(`${stream} cannot be read`, () => this.#lastOf(stream)));
  }

  async append(
    stream: string,
    events: readonly Event[],
    { expected, metadata }: { readonly expected: StreamHead; readonly metadata: Metadata },
  ): Promise<Appended> {
    if (events.length === 0) return { head: expected, duplicate: false };
    const bytes = encodeCommit(stream, expected, events, metadata, new Date());
    const attempt = () => this.#appendOnce(stream, bytes, expected, metadata.id);
    return this.#patiently(`${stream}: the commit is not known to be stored`, attempt, true);
  }

  /** Throws what decides the matter; anything else (RetryError, a lost answer) is for `#patiently` to try again with the same bytes. */
  async #appendOnce(stream: string, bytes: Uint8Array, expected: StreamHead, id: string): Promise<Appended> {
    let outcome: Outcome;
    try {
      const { seq, duplicate } = await this.#publisher.publish(stream, bytes, {
        id,
        stream: streamNames.events,
        lastSubjectSequence: expected.position,
      });
      outcome = { kind: duplicate ? 'duplicate' : 'stored', seq };
    } catch (error) {
      return this.#afterFailure(error, stream, bytes, expected, id);
    }
    if (outcome.kind === 'stored') {
      const head = { position: outcome.seq, version: expected.version + 1, hash: hashOf(bytes) };
      return { head, duplicate: false, bytes: bytes.length };
    }
    // De-duplication looks at the whole stream: the earlier message may be of another aggregate.
    const earlier = await this.#at(outcome.seq);
    if (earlier && earlier.stream !== stream) throw new CommandIdReusedError(id, stream, earlier.stream);
    const last = await this.#lastOf(stream);
    if (!earlier || !last) throw new RetryError('a duplicate was answered, but there is no such commit');
    return { head: headOf(last), duplicate: hashOf(earlier.bytes) !== hashOf(bytes) };
  }

  /**
   * The publish was refused, or nobody knows what became of it. What the leader holds now decides: not a direct get, which another
   * replica may answer that is behind.
   */
  async #afterFailure(
    error: unknown,
    stream: string,
    bytes: Uint8Array,
    expected: StreamHead,
    id: string,
  ): Promise<Appended> {
    const errCode = error instanceof NatsError ? error.api_error?.err_code : undefined;
    if (errCode === code.tooLarge) throw new CommitTooLargeError(stream, bytes.length, bytes.length - 1);
    if (errCode === code.storeFailed || errCode === code.noSpace || errCode === code.noResources) {
      throw new StoreUnavailableError(`the log has no room left: ${messageOf(error)}`, { cause: error });
    }
    const last = await this.#lastOf(stream);
    if (last && last.id === id) {
      return { head: headOf(last), duplicate: hashOf(last.bytes) !== hashOf(bytes) };
    }
    const actual = last?.position ?? 0;
    if (actual !== expected.position) throw new ConcurrencyError(stream, expected.position, actual);
    // 10164: another write of this subject is in flight; a lost answer: ours may still arrive. Sent again, one of them wins.
    const inFlight = [code.wrongLastSequence, code.inFlight, code.sameIdInFlight];
    if (errCode !== undefined && inFlight.includes(errCode)) throw new RetryError(messageOf(error));
    throw error;
  }

  async *subscribe(options: SubscribeOptions): AsyncIterable<Commit> {
    for await (const messages of this.#deliver(options)) {
      const [first] = messages;
      if (first?.sequence === 1) this.#restored = first.message.headers?.has(atHeader) ?? false;
      // Only in a restored log do the times lie in the headers.
      const read = this.#restored === false ? toStored : toKept;
      for (const message of messages) {
        if (options.signal?.aborted) return;
        yield decodeCommit(read(message));
      }
    }
  }

  async *messages(options: SubscribeOptions): AsyncIterable<Kept> {
    for await (const messages of this.#deliver(options)) {
      for (const message of messages) {
        if (options.signal?.aborted) return;
        yield toKept(message);
      }
    }
  }

  #deliver({ after, filters = [], signal }: SubscribeOptions): AsyncIterable<readonly OrderedMessage[]> {
    return readOrdered(this.connection, {
      stream: streamNames.events,
      after,
      batch: 1000,
      signal,
      onTrouble: (reason) => this.options.log?.(`reading the log is tried again: ${reason}`),
      open: async (position) => {
        await this.#isRestored();
        const { name } = await this.manager.consumers.add(streamNames.events, {
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: position + 1,
          ack_policy: AckPolicy.None,
          mem_storage: true,
          num_replicas: 1,
          inactive_threshold: nanos(60_000),
          ...(filters.length === 1 ? { filter_subject: filters[0] } : {}),
          ...(filters.length > 1 ? { filter_subjects: [...filters] } : {}),
        });
        return name;
      },
    });
  }

  /** A restored log begins with a restored commit; an empty one may still become either. */
  async #isRestored(): Promise<boolean> {
    if (this.#restored !== undefined) return this.#restored;
    try {
      const { header } = await this.manager.streams.getMessage(streamNames.events, { seq: 1 });
      this.#restored = header.has(atHeader);
    } catch (error) {
      if (!(error instanceof NatsError && error.api_error?.code === notFound)) throw error;
    }
    return this.#restored ?? false;
  }

  async lastPosition(filter?: string): Promise<number> {
    return this.#patiently('the position of the log', async () => {
      if (filter !== undefined) return (await this.#lastOf(filter))?.position ?? 0;
      const { state } = await this.manager.streams.info(streamNames.events);
      return state.last_seq;
    });
  }

  positionAt(time: number): Promise<number> {
    return this.#patiently('the position of a time', async () => {
      const { state } = await this.manager.streams.info(streamNames.events);
      // Of a restored commit the server knows when it was restored, its header when it was stored first.
      const isOwnTime = state.messages > 0 && !(await this.#isRestored());
      if (isOwnTime && Date.parse(state.last_ts) <= time) return state.last_seq;
      return searchPosition(time, state.last_seq, (seq) => this.#get({ seq, next_by_subj: subjects.allEvents }));
    });
  }

  async close(): Promise<void> {
    if (this.options.ownsConnection) await this.connection.close();
  }

  async #messagesOf(stream: string, after: number): Promise<readonly Kept[]> {
    if (this.facts.replicas === 1 && hasVersion(this.facts.serverVersion, [2, 11])) {
      return readSubjectInBatches(this.#answers, streamNames.events, stream, after);
    }
    const all: Kept[] = [];
    for (;;) {
      const from = (all.at(-1)?.position ?? after) + 1;
      const next = await this.#get({ seq: from, next_by_subj: stream });
      if (!next) return all;
      all.push(next);
    }
  }

  #lastOf(stream: string): Promise<Kept | undefined> {
    return this.#get({ last_by_subj: stream });
  }

  #at(seq: number): Promise<Kept | undefined> {
    return this.#get({ seq });
  }

  async #get(query: { seq: number; next_by_subj?: string } | { last_by_subj: string }): Promise<Kept | undefined> {
    try {
      return fromStored(await this.manager.streams.getMessage(streamNames.events, query as { seq: number }));
    } catch (error) {
      if (error instanceof NatsError && error.api_error?.code === notFound) return undefined;
      throw error;
    }
  }

  /** Tries again what failed for want of a server or an answer, until patience ends. A write that a known problem stops is not repeated. */
  async #patiently<T>(what: string, attempt: () => Promise<T>, writes = false): Promise<T> {
    const deadline = Date.now() + (this.options.patienceMs ?? 10_000);
    let reason = 'NATS is not connected';
    for (let delayMs = 5; ; delayMs = Math.min(delayMs * 2, 250)) {
      let hopeless = this.connection.isClosed();
      // Nothing is published while disconnected: the client would send it later, when the caller was told long ago that it failed.
      if (this.#connected && !hopeless) {
        try {
          return await this.#untilDisconnected(attempt);
        } catch (error) {
          if (!isTransient(error)) throw error;
          reason = explain(error);
          // A lost connection comes back; a server that stays silent and is known to have a problem does not.
          hopeless = writes && !(error instanceof RetryError) && this.options.problem?.() !== undefined;
        }
      }
      if (hopeless || Date.now() + delayMs > deadline) {
        const end = this.connection.isClosed() ? 'the connection is closed' : (this.options.problem?.() ?? reason);
        throw new StoreUnavailableError(`${what}: ${end}`);
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  /** The client lets a request wait for its timeout although the connection is gone. */
  #untilDisconnected<T>(attempt: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#onDisconnect.add(reject);
      attempt().then(
        (value) => {
          this.#onDisconnect.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          this.#onDisconnect.delete(reject);
          reject(error);
        },
      );
    });
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === 'disconnect') {
        this.#connected = false;
        for (const lost of this.#onDisconnect) lost(new RetryError('the connection to NATS was lost'));
      }
      if (type === 'reconnect') this.#connected = true;
    }
  }
}

class RetryError extends Error {}

function isTransient(error: unknown): boolean {
  if (error instanceof RetryError || error instanceof IncompleteAnswerError) return true;
  if (!(error instanceof NatsError) || error.code === 'PERMISSIONS_VIOLATION') return false;
  // No api_error: the answer is missing. 5xx: JetStream is starting or has no leader.
  return error.api_error === undefined || error.api_error.code >= 500;
}

function explain(error: unknown): string {
  const message = messageOf(error);
  if (/timeout|not answer/i.test(message)) return 'nats-server does not answer; its disk may be full (its log says)';
  if (/503|no responders/i.test(message)) return 'JetStream is not available on nats-server';
  return message;
}

function headOf(message: Kept): StreamHead {
  const { version, hash } = decodeCommit(message);
  return { position: message.position, version, hash };
}

function toKept(delivered: OrderedMessage): Kept {
  const { position, stream, at, bytes } = toStored(delivered);
  return { position, stream, at, bytes, ...fromHeaders(delivered.message.headers) };
}

/** Without what its headers say, which takes longer to read than all the rest: who follows the log checks the chain by itself. */
function toStored({ sequence, nanoseconds, message }: OrderedMessage): StoredMessage {
  return { position: sequence, stream: message.subject, at: timeOf(nanoseconds), bytes: message.data };
}

function messageOf(error: unknown): string {
  if (error instanceof NatsError && error.api_error) return error.api_error.description;
  return error instanceof Error ? error.message : String(error);
}
