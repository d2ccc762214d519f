import type { Msg, MsgHdrs, NatsConnection, NatsError } from 'nats';
import { Answers, type NatsModule } from './nats-answers';

/** Where a message was stored. */
export interface PublishAck {
  readonly seq: number;
  /** There was a message with this id already, at `seq`. */
  readonly duplicate: boolean;
}

export interface Guard {
  readonly id: string;
  readonly stream: string;
  /** Of the subject's last message; 0: it has none. Absent: not checked. */
  readonly lastSubjectSequence?: number;
  /** Of the stream's last message; 0: it has had none. Absent: not checked. */
  readonly lastSequence?: number;
}

const noFields: Readonly<Record<string, string>> = {};

/** Guarded publishes into a stream, for less than the client's own `publish`. */
export class StreamPublisher {
  readonly #answers: Answers;

  constructor(
    private readonly nats: NatsModule,
    connection: NatsConnection,
    timeoutMs: number,
  ) {
    this.#answers = new Answers(nats, connection, timeoutMs);
  }

  /**
   * Resolves with the acknowledgement; rejects with a NatsError, `api_error` being the server's refusal. `fields`: further headers, by
   * their names.
   */
  async publish(subject: string, data: Uint8Array, guard: Guard, fields = noFields): Promise<PublishAck> {
    const headers = headersOf(guard, fields);
    return this.#answers.ask({ subject, data, headers, take: (message) => ackOf(this.nats, message) });
  }
}

function ackOf({ NatsError }: NatsModule, message: Msg): PublishAck {
  // Nobody listens on the subject: JetStream is not there.
  if (message.data.length === 0) throw new NatsError(`${message.headers?.code ?? ''} no responders`, '503');
  const {
    seq,
    duplicate = false,
    error,
  } = message.json<Partial<PublishAck> & { readonly error?: NonNullable<NatsError['api_error']> }>();
  if (error) {
    const refusal = new NatsError(error.description, String(error.code));
    refusal.api_error = error;
    throw refusal;
  }
  if (typeof seq !== 'number') throw new NatsError('the acknowledgement names no sequence', 'JSINVALIDACK');
  return { seq, duplicate };
}

/** Encoded as they are sent; the client asks its headers for nothing else. */
function headersOf({ id, stream, lastSubjectSequence, lastSequence }: Guard, fields: typeof noFields): MsgHdrs {
  let text = `NATS/1.0\r\n${field('Nats-Msg-Id', id)}${field('Nats-Expected-Stream', stream)}`;
  if (lastSubjectSequence !== undefined) text += field('Nats-Expected-Last-Subject-Sequence', lastSubjectSequence);
  if (lastSequence !== undefined) text += field('Nats-Expected-Last-Sequence', lastSequence);
  for (const name in fields) text += field(name, fields[name] ?? '');
  const encoded: { encode(): Uint8Array } = { encode: () => Buffer.from(`${text}\r\n`) };
  return encoded as unknown as MsgHdrs;
}

function field(name: string, value: string | number): string {
  if (typeof value === 'string' && /[\r\n]/.test(value)) {
    throw new TypeError(`the header ${name} has a line break: ${JSON.stringify(value)}`);
  }
  return `${name}: ${value}\r\n`;
}
