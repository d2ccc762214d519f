import type { ConsumerConfig, JetStreamManager, JsMsg, NatsConnection, NatsError } from 'nats';
import { BusUnavailableError } from './nats-connect';
import { streamNames } from './nats-names';
import { readOrdered } from './nats-ordered';
import { StreamPublisher } from './nats-publish';
import { pullMessages } from './nats-pull';
import { subjects } from './subjects';

/** Where the stream of public events ends. */
export interface PublishedHead {
  /** Sequence of the last message ever stored. */
  readonly sequence: number;
  /** `Nats-Msg-Id` of the last message that is still there; undefined: none is. */
  readonly id: string | undefined;
}

export interface PublicMessage {
  readonly subject: string;
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface DurableSpec {
  readonly name: string;
  /** Of the log, where this was decided: an older decision never replaces a newer one. */
  readonly position: number;
  readonly subjects: readonly string[];
  /** Nothing that was published before, ISO 8601. Only for a consumer that is made now. */
  readonly since: string;
}

export interface DurableState {
  readonly name: string;
  /** Messages that match and were not acknowledged. */
  readonly pending: number;
}

/** One message of a durable consumer. It comes again when it is neither acknowledged nor held. */
export interface Delivery {
  readonly sequence: number;
  /** From 1. */
  readonly attempt: number;
  /** How many came after it when it was handed out. */
  readonly pending: number;
  header(name: string): string | undefined;
  text(): string;
  /** Tells the server that it is still being worked on; needed every few seconds. */
  hold(): void;
  /** Resolves when the server has moved the position. Throws BusUnavailableError when it did not say so: the message may come again. */
  acknowledge(): Promise<void>;
  /** Hands it back, to come again at once. */
  release(): void;
}

/** A message that is read without being taken. */
export type PeekedMessage = Pick<Delivery, 'sequence' | 'header' | 'text'>;

/** Somebody else published meanwhile: look at the head again. */
export class PublishConflictError extends Error {}

const timeoutMs = 5_000;
/** How long the server waits for a word about a message before it hands it out again. */
const ackWaitMs = 15_000;
const consumerPrefix = 'sub_';
const positionKey = 'tink_position';
/** Messages that are read ahead of a durable consumer, at most. */
const aheadBatch = 100;

/** The stream `TINK_PUB`. */
export class PublishedStream {
  private publisher: StreamPublisher | undefined;

  constructor(private readonly connection: NatsConnection) {}

  /**
   * The sequence is never newer than the id: what somebody else stores in between makes the next `publish` conflict.
   * Throws BusUnavailableError, as all others here do.
   */
  async head(): Promise<PublishedHead> {
    return translate('the stream of public events', async () => {
      const manager = await this.connection.jetstreamManager();
      const { state } = await manager.streams.info(streamNames.published);
      if (state.messages === 0) return { sequence: state.last_seq, id: undefined };
      const { header } = await manager.streams.getMessage(streamNames.published, {
        last_by_subj: subjects.allPublished,
      });
      return { sequence: state.last_seq, id: header.get('Nats-Msg-Id') };
    });
  }

  /** How long the server keeps a message, milliseconds; Infinity: for ever. */
  async retentionMs(): Promise<number> {
    return translate('the stream of public events', async () => {
      const manager = await this.connection.jetstreamManager();
      const { config } = await manager.streams.info(streamNames.published);
      return config.max_age === 0 ? Number.POSITIVE_INFINITY : config.max_age / 1e6;
    });
  }

  /** Stores one message if the stream still ends at `after`; its sequence. Throws PublishConflictError when it does not. */
  async publish(message: PublicMessage, after: number): Promise<number> {
    const conflict = () => new PublishConflictError(`the stream of public events does not end at ${after} any more`);
    return translate(`${message.id} was not published`, async () => {
      const publisher = (this.publisher ??= new StreamPublisher(await import('nats'), this.connection, timeoutMs));
      try {
        const guard = { id: message.id, stream: streamNames.published, lastSequence: after };
        const { seq } = await publisher.publish(message.subject, Buffer.from(message.body), guard, message.headers);
        if (seq !== after + 1) throw conflict(); // stored before, elsewhere
        return seq;
      } catch (error) {
        // 10071: wrong last sequence.
        if (isNatsError(error) && error.api_error?.err_code === 10071) throw conflict();
        throw error;
      }
    });
  }

  /** Makes the durable consumer, or gives an existing one these subjects; its position stays. */
  async ensureDurable({ name, position, subjects: filters, since }: DurableSpec): Promise<void> {
    const { AckPolicy, DeliverPolicy, nanos, ReplayPolicy } = await import('nats');
    await translate(`subscription ${name}`, async () => {
      const manager = await this.connection.jetstreamManager();
      const found = await infoOf(manager, name);
      const filter_subjects = [...filters];
      const metadata = { ...found?.config.metadata, [positionKey]: String(position) };
      if (found) {
        const { filter_subject, filter_subjects: now = filter_subject === undefined ? [] : [filter_subject] } =
          found.config;
        if (JSON.stringify(now) === JSON.stringify(filter_subjects)) return;
        if (Number(found.config.metadata?.[positionKey] ?? 0) > position) return;
        await manager.consumers.update(streamNames.published, name, { ...found.config, filter_subjects, metadata });
        return;
      }
      await manager.consumers.add(streamNames.published, {
        durable_name: name,
        filter_subjects,
        metadata,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWaitMs),
        deliver_policy: DeliverPolicy.StartTime,
        opt_start_time: since,
        replay_policy: ReplayPolicy.Instant,
        // One at a time is what keeps the order, whatever is redelivered and whoever restarts.
        max_ack_pending: 1,
        max_deliver: -1,
      });
    });
  }

  /** Durable consumers of subscriptions, wanted or not. */
  async durables(): Promise<readonly DurableState[]> {
    return translate('the subscriptions', async () => {
      const manager = await this.connection.jetstreamManager();
      const found: DurableState[] = [];
      for await (const { name, num_pending, num_ack_pending } of manager.consumers.list(streamNames.published)) {
        if (name.startsWith(consumerPrefix)) found.push({ name, pending: num_pending + num_ack_pending });
      }
      return found;
    });
  }

  async removeDurable(name: string): Promise<void> {
    await translate(`subscription ${name}`, async () => {
      const manager = await this.connection.jetstreamManager();
      if (await infoOf(manager, name)) await manager.consumers.delete(streamNames.published, name);
    });
  }

  /** Messages from where the durable consumer stands, in order, each when the one before is acknowledged; until aborted. */
  async *deliveries(name: string, signal: AbortSignal, onTrouble?: (reason: string) => void): AsyncGenerator<Delivery> {
    const messages = pullMessages(this.connection, {
      ordered: false,
      batch: 1,
      signal,
      ...(onTrouble ? { onTrouble } : {}),
      open: () => this.connection.jetstream().consumers.get(streamNames.published, name),
    });
    for await (const message of messages) yield toDelivery(message);
  }

  /** What comes after a message of the durable consumer, without moving it: as it is filtered now, in order, until aborted. */
  async *ahead(name: string, after: number, signal: AbortSignal): AsyncGenerator<PeekedMessage> {
    const { AckPolicy, DeliverPolicy, nanos } = await import('nats');
    const manager = await this.connection.jetstreamManager();
    const open = async (last: number) => {
      const found = await infoOf(manager, name);
      const { filter_subject, filter_subjects } = found?.config ?? {};
      const consumer = await manager.consumers.add(streamNames.published, {
        ...(filter_subjects ? { filter_subjects } : {}),
        ...(filter_subject === undefined ? {} : { filter_subject }),
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: last + 1,
        ack_policy: AckPolicy.None,
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: nanos(60_000),
      });
      return consumer.name;
    };
    for await (const messages of readOrdered(this.connection, {
      ...{ stream: streamNames.published, open, after, batch: aheadBatch, signal },
    })) {
      for (const { sequence, message } of messages) {
        yield { sequence, header: (header) => message.headers?.get(header), text: () => message.string() };
      }
    }
  }
}

/** The name of the consumer of one life of a subscription: one that is created anew after a deletion begins anew. */
export function durableName(name: string, incarnation: number): string {
  return `${consumerPrefix}${name}_${incarnation}`;
}

function toDelivery(message: JsMsg): Delivery {
  return {
    sequence: message.seq,
    attempt: message.info.deliveryCount,
    pending: message.info.pending,
    header: (name) => message.headers?.get(name),
    text: () => message.string(),
    hold: () => message.working(),
    async acknowledge() {
      if (!(await message.ackAck({ timeout: timeoutMs }).catch(() => false))) {
        throw new BusUnavailableError('NATS did not confirm the acknowledgement');
      }
    },
    release: () => message.nak(),
  };
}

async function infoOf(
  manager: JetStreamManager,
  name: string,
): Promise<{ readonly config: ConsumerConfig } | undefined> {
  try {
    return await manager.consumers.info(streamNames.published, name);
  } catch (error) {
    if (isNatsError(error) && error.api_error?.code === 404) return undefined;
    throw error;
  }
}

async function translate<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isNatsError(error)) throw error;
    throw new BusUnavailableError(`${what}: ${error.api_error?.description ?? error.message}`, { cause: error });
  }
}

function isNatsError(error: unknown): error is NatsError {
  return error instanceof Error && error.name === 'NatsError';
}
