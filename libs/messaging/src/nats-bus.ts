import type { JetStreamManager, JsMsg, Msg, NatsConnection, NatsError } from 'nats';
import { BusForbiddenError, type BusOptions, BusUnavailableError, connectNats } from './nats-connect';
import { streamNames } from './nats-names';
import { pullMessages } from './nats-pull';
import { pause } from './pause';
import { Lanes } from './lanes';
import { openReports, ReportsTakenOverError } from './nats-reports';
import { WaitingReports } from './nats-waiting-reports';
import { parseLogSubject, parseMachineLogSubject, parseWorkerSubject, type ReportKind, subjects } from './subjects';
import type { LogLine, MachineLine } from './worker-protocol';

/** A message of `TINK_IN`. */
export interface Report {
  readonly subject: string;
  readonly workerId: string;
  readonly kind: string;
  /** The reporter's message id, '' without one: the command id of what follows from it. */
  readonly id: string;
  /** When the server took it, ISO 8601. */
  readonly at: string;
  /** How often it was handed out before. */
  readonly redeliveries: number;
  readonly bytes: Uint8Array;
  /** Throws SyntaxError when it is not JSON: a worker's fault, not worth another try. */
  json(): unknown;
}

/** A line of `TINK_LOG` with where it came from. */
export interface LoggedLine extends LogLine {
  readonly seq: number;
  readonly workerId: string;
  readonly workflowId: string;
  readonly index: number;
}

/** A line that a machine itself logged, with where it came from. */
export interface LoggedMachineLine extends MachineLine {
  readonly seq: number;
  readonly hardwareId: string;
  /** What the machine was at work on; null: nothing. */
  readonly workflowId: string | null;
}

export interface LogQuery {
  /** `subjects.logOfWorkflow(id)`, `subjects.logOfAction(id, index)` or `subjects.allLogs`; several are read as one, in order. */
  readonly subject: string | readonly string[];
  /** Go on with new lines instead of ending at the newest. */
  readonly follow?: boolean;
  /** Only lines that the server took at or after this time, ISO 8601. */
  readonly since?: string;
  /** Only lines after this `seq`, to go on where a reader was; goes before `since`. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

export interface Stored {
  readonly seq: number;
  /** The same id had been stored before. */
  readonly duplicate: boolean;
}

const defaultTimeoutMs = 5000;
/** Reports of different workers that are taken in at a time. */
const reportsAtOnce = 64;
const retryDelayMs = 2000;

/** NATS for everything that is not an event: reports, requests, output lines, wake-ups. Reconnects by itself for ever. */
export class NatsBus {
  private waitingReports: WaitingReports | undefined;

  private constructor(
    /** For `JetStreamEventStore.fromConnection` and `ensureStreams`. */
    readonly connection: NatsConnection,
  ) {}

  /** Throws BusForbiddenError, or BusUnavailableError after `firstConnectTimeoutMs`. */
  static async connect(options: BusOptions): Promise<NatsBus> {
    return new NatsBus(await connectNats(options));
  }

  /** Stores a report under its id; resolves when the server has it. Throws BusUnavailableError, BusForbiddenError. */
  async publishReport(subject: string, id: string, body: object, timeoutMs = defaultTimeoutMs): Promise<Stored> {
    return this.#store(subject, body, timeoutMs, id);
  }

  /** Stores one output line; resolves when the server has it. Give an `id` when it may be sent twice. */
  async publishLog(subject: string, line: LogLine, id?: string, timeoutMs = defaultTimeoutMs): Promise<Stored> {
    return this.#store(subject, line, timeoutMs, id);
  }

  /** Stores one line that a machine itself logged; resolves when the server has it. */
  async publishMachineLine(subject: string, line: MachineLine, timeoutMs = defaultTimeoutMs): Promise<Stored> {
    return this.#store(subject, line, timeoutMs);
  }

  async #store(subject: string, body: object, timeoutMs: number, id?: string): Promise<Stored> {
    return translate(`${subject} was not stored`, async () => {
      const { seq, duplicate } = await this.connection
        .jetstream()
        .publish(subject, encode(body), { timeout: timeoutMs, ...(id && { msgID: id }) });
      return { seq, duplicate };
    });
  }

  /**
   * Hands out the workers' reports until aborted: those of one worker one after the other, in order, those of others beside them. A report is acknowledged when `handler` resolves; when
   * it throws, the report comes again after two seconds, so log what went wrong and return for one that can never succeed.
   *
   * There is one reader at a time, the last one that began: it gets whatever is not acknowledged at once and in order, and the one before
   * it gets nothing any more and ends with ReportsTakenOverError. `epoch`: the number of the lease under which this is done.
   */
  async consumeReports(
    handler: (report: Report) => Promise<void>,
    options: { readonly signal: AbortSignal; readonly epoch?: number },
  ): Promise<void> {
    const messages = pullMessages(this.connection, {
      ordered: false,
      batch: 50,
      signal: options.signal,
      open: openReports(this.connection, options.epoch ?? 0),
      isFinal: (error) => error instanceof ReportsTakenOverError,
    });
    const lanes = new Lanes(reportsAtOnce);
    try {
      for await (const message of messages) {
        await lanes.add(parseWorkerSubject(message.subject)?.workerId ?? '', () => takeReport(message, handler));
      }
    } finally {
      await lanes.idle();
    }
  }

  /** The reports of this kind that the worker made and that are not in the log yet, oldest first; without what is not JSON. */
  async pendingReports(workerId: string, kind: ReportKind): Promise<readonly unknown[]> {
    return translate('the reports of workers', async () => {
      this.waitingReports ??= await WaitingReports.open(this.connection, defaultTimeoutMs);
      return this.waitingReports.of(subjects.report(workerId, kind));
    });
  }

  /** Core request/reply in JSON. Throws BusUnavailableError when nobody answers, BusForbiddenError when we may not ask. */
  async request<T>(subject: string, body: object, timeoutMs = defaultTimeoutMs): Promise<T> {
    return translate(`no answer on ${subject}`, async () => {
      const reply = await this.connection.request(subject, encode(body), { timeout: timeoutMs });
      return reply.json<T>();
    });
  }

  /** Answers requests; with `queue` each request goes to one of those who named the same queue. Returns the end of it. */
  serve(subject: string, handler: (request: unknown, subject: string) => Promise<object>, queue?: string): () => void {
    return this.#listen(subject, queue, (message) => {
      void handler(message.json(), message.subject)
        .catch((error: unknown) => ({
          err: { code: 'INTERNAL', message: error instanceof Error ? error.message : '' },
        }))
        .then((reply) => message.respond(encode(reply)));
    });
  }

  /** Core publish/subscribe in JSON: what may be lost. */
  publish(subject: string, body: object = {}): void {
    if (!this.connection.isClosed()) this.connection.publish(subject, encode(body));
  }

  subscribe(subject: string, listener: (body: unknown, subject: string) => void): () => void {
    return this.#listen(subject, undefined, (message) => listener(message.json(), message.subject));
  }

  /** Tells a worker to ask again now. */
  wake(workerId: string): void {
    this.publish(subjects.wake(workerId));
  }

  onWake(workerId: string, listener: () => void): () => void {
    return this.subscribe(subjects.wake(workerId), listener);
  }

  /** Stored output lines, oldest first, then new ones with `follow`. Messages that are no lines are left out. */
  logs(query: LogQuery): AsyncGenerator<LoggedLine> {
    return this.#lines(query, toLine);
  }

  /** As `logs`, of what machines themselves log; `subject`: `subjects.logOfMachine(id)`. */
  machineLines(query: LogQuery): AsyncGenerator<LoggedMachineLine> {
    return this.#lines(query, toMachineLine);
  }

  async *#lines<T>(
    { subject, follow = false, since, after = 0, signal }: LogQuery,
    parse: (message: JsMsg) => T | undefined,
  ): AsyncGenerator<T> {
    const { AckPolicy, DeliverPolicy, nanos } = await import('nats');
    const manager = await translate('the log of actions', () => this.connection.jetstreamManager());
    const filters = typeof subject === 'string' ? [subject] : [...subject];
    const newest = follow ? Number.POSITIVE_INFINITY : await this.#newestLog(manager, filters, since);
    if (newest <= after) return;
    const messages = pullMessages(this.connection, {
      ordered: true,
      batch: 500,
      after,
      signal,
      open: async (last) => {
        const { name } = await manager.consumers.add(streamNames.logs, {
          filter_subjects: filters,
          ack_policy: AckPolicy.None,
          mem_storage: true,
          inactive_threshold: nanos(60_000),
          ...(last > 0
            ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: last + 1 }
            : since
              ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(since).toISOString() }
              : { deliver_policy: DeliverPolicy.All }),
        });
        return this.connection.jetstream().consumers.get(streamNames.logs, name);
      },
    });
    for await (const message of messages) {
      const line = parse(message);
      if (line) yield line;
      if (message.seq >= newest || (!follow && message.info.pending === 0)) return;
    }
  }

  /** 0: no line, or none since then. */
  async #newestLog(manager: JetStreamManager, filters: readonly string[], since?: string): Promise<number> {
    const newest = await Promise.all(filters.map((filter) => this.#newestOf(manager, filter, since)));
    return Math.max(...newest);
  }

  async #newestOf(manager: JetStreamManager, subject: string, since?: string): Promise<number> {
    return translate('the log of actions', async () => {
      try {
        const { seq, timestamp } = await manager.streams.getMessage(streamNames.logs, { last_by_subj: subject });
        return since && new Date(timestamp) < new Date(since) ? 0 : seq;
      } catch (error) {
        if (isNatsError(error) && error.api_error?.code === 404) return 0;
        throw error;
      }
    });
  }

  /** The clock that stamps the log, i.e. of the server that leads it: milliseconds since 1970. Throws BusUnavailableError. */
  async logTime(): Promise<number> {
    return translate('the time of the log', async () => {
      const manager = await this.connection.jetstreamManager({ checkAPI: false });
      const { ts } = (await manager.streams.info(streamNames.events)) as { readonly ts?: string }; // since 2.10
      return ts === undefined ? Date.now() : Date.parse(ts);
    });
  }

  /** Sends what is waiting, then closes. */
  async close(): Promise<void> {
    if (this.connection.isClosed()) return;
    const drained = new AbortController();
    await Promise.race([this.connection.drain().catch(() => undefined), pause(2000, drained.signal)]);
    drained.abort();
    await this.connection.close();
  }

  #listen(subject: string, queue: string | undefined, listener: (message: Msg) => void): () => void {
    const subscription = this.connection.subscribe(subject, {
      ...(queue && { queue }),
      callback: (error, message) => {
        if (error) return; // a refused subject shows in onStatus
        try {
          listener(message);
        } catch (fault) {
          if (!(fault instanceof SyntaxError)) throw fault; // not JSON: not from us
        }
      },
    });
    return () => subscription.unsubscribe();
  }
}

/** Says in our own terms what NATS said in its. */
async function translate<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isNatsError(error)) throw error;
    if (error.code === 'PERMISSIONS_VIOLATION')
      throw new BusForbiddenError(`${what}: ${error.message}`, { cause: error });
    const reason = reasons[error.code] ?? error.api_error?.description ?? error.message;
    throw new BusUnavailableError(`${what}: ${reason}`, { cause: error });
  }
}

const reasons: Readonly<Record<string, string>> = {
  TIMEOUT: 'NATS did not answer in time',
  '503': 'nobody is listening',
  CONNECTION_CLOSED: 'the connection to NATS is closed',
  CONNECTION_DRAINING: 'the connection to NATS is closing',
};

function isNatsError(error: unknown): error is NatsError {
  return error instanceof Error && error.name === 'NatsError';
}

async function takeReport(message: JsMsg, handler: (report: Report) => Promise<void>): Promise<void> {
  const stillWorking = setInterval(() => message.working(), 10_000);
  try {
    await handler(toReport(message));
    message.ack(); // when this is lost the report comes again, and its id is known by then
  } catch {
    message.nak(retryDelayMs);
  } finally {
    clearInterval(stillWorking);
  }
}

function toReport(message: JsMsg): Report {
  const { workerId = '', kind = '' } = parseWorkerSubject(message.subject) ?? {};
  return {
    subject: message.subject,
    workerId,
    kind,
    id: message.headers?.get('Nats-Msg-Id') ?? '',
    at: timeOf(message),
    redeliveries: message.info.deliveryCount - 1,
    bytes: message.data,
    json: () => message.json<unknown>(),
  };
}

function toLine(message: JsMsg): LoggedLine | undefined {
  return lineOf<LogLine, LoggedLine>(message, parseLogSubject(message.subject));
}

function toMachineLine(message: JsMsg): LoggedMachineLine | undefined {
  return lineOf<MachineLine, LoggedMachineLine>(message, parseMachineLogSubject(message.subject));
}

function lineOf<Line extends { readonly line: string }, Logged>(
  message: JsMsg,
  place: Omit<Logged, keyof Line | 'seq'> | undefined,
): Logged | undefined {
  if (!place) return undefined;
  try {
    const line = message.json<Line>();
    return typeof line?.line === 'string' ? ({ ...line, ...place, seq: message.seq } as Logged) : undefined;
  } catch {
    return undefined; // a worker may write what it likes to its own subjects
  }
}

const timeOf = (message: JsMsg) => new Date(Math.floor(message.info.timestampNanos / 1e6)).toISOString();

const encode = (body: object) => new TextEncoder().encode(JSON.stringify(body));
