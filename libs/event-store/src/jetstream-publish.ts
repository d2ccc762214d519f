import { createInbox, type Msg, type MsgHdrs, type NatsConnection, NatsError, type Subscription } from 'nats';
import { expectedHeader, idHeader } from './jetstream-messages';

export interface Stored {
  readonly seq: number;
  /** There was a message with this id already, at `seq`. */
  readonly duplicate: boolean;
}

export interface Guard {
  readonly id: string;
  readonly stream: string;
  /** Of the subject's last message; 0: it has none. */
  readonly lastSubjectSequence: number;
}

interface Waiting {
  readonly subject: string;
  readonly deadline: number;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Guarded publishes into a stream. What the client's own `publish` does, without the timer, the two error objects (for their stack) and
 * the headers put together one by one that cost it a fifth of its time.
 */
export class StreamPublisher {
  readonly #inbox = `${createInbox()}.`;
  /** By token, in the order in which they will be given up. */
  readonly #waiting = new Map<string, Waiting>();
  #subscription: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;

  constructor(
    private readonly connection: NatsConnection,
    private readonly timeoutMs: number,
  ) {
    void this.#watchPermissions();
  }

  /** Resolves with the acknowledgement; rejects with a NatsError, `api_error` being the server's refusal. */
  publish(subject: string, data: Uint8Array, guard: Guard): Promise<Stored> {
    return new Promise((resolve, reject) => {
      this.#subscription ??= this.#listen();
      const token = `${++this.#sent}`;
      this.#waiting.set(token, { subject, deadline: Date.now() + this.timeoutMs, resolve, reject });
      this.#timer ??= setTimeout(() => this.#giveUp(), this.timeoutMs).unref();
      try {
        this.connection.publish(subject, data, { reply: this.#inbox + token, headers: headersOf(guard) });
      } catch (error) {
        this.#waiting.delete(token);
        reject(error);
      }
    });
  }

  /** A publish that is not allowed gets no answer: the server says so aside. */
  async #watchPermissions(): Promise<void> {
    for await (const { permissionContext } of this.connection.status()) {
      if (permissionContext?.operation !== 'publish') continue;
      const { subject } = permissionContext;
      for (const [token, waiting] of this.#waiting) {
        if (waiting.subject !== subject) continue;
        this.#waiting.delete(token);
        waiting.reject(new NatsError(`publishing to ${subject} is not allowed`, 'PERMISSIONS_VIOLATION'));
      }
    }
  }

  #listen(): Subscription {
    return this.connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error) return this.#failAll(error);
        const token = message.subject.slice(this.#inbox.length);
        const waiting = this.#waiting.get(token);
        this.#waiting.delete(token);
        if (waiting) settle(waiting, message);
      },
    });
  }

  #failAll(error: Error): void {
    this.#subscription = undefined;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(error);
  }

  #giveUp(): void {
    this.#timer = undefined;
    for (const [token, { deadline, reject }] of this.#waiting) {
      const leftMs = deadline - Date.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#giveUp(), leftMs).unref();
        return;
      }
      this.#waiting.delete(token);
      reject(new NatsError('TIMEOUT', 'TIMEOUT'));
    }
  }
}

function settle({ resolve, reject }: Waiting, message: Msg): void {
  // Nobody listens on the subject: JetStream is not there.
  if (message.data.length === 0) return reject(new NatsError(`${message.headers?.code ?? ''} no responders`, '503'));
  try {
    const {
      seq,
      duplicate = false,
      error,
    } = message.json<Partial<Stored> & { readonly error?: NatsError['api_error'] }>();
    if (error) {
      const refusal = new NatsError(error.description, String(error.code));
      refusal.api_error = error;
      reject(refusal);
    } else if (typeof seq === 'number') resolve({ seq, duplicate });
    else reject(new NatsError('the acknowledgement names no sequence', 'JSINVALIDACK'));
  } catch (error) {
    reject(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Encoded as they are sent; the client asks its headers for nothing else. */
function headersOf({ id, stream, lastSubjectSequence }: Guard): MsgHdrs {
  if (/[\r\n]/.test(id)) throw new TypeError(`the command id ${JSON.stringify(id)} has a line break`);
  const text = `NATS/1.0\r\n${idHeader}: ${id}\r\nNats-Expected-Stream: ${stream}\r\n${expectedHeader}: ${lastSubjectSequence}\r\n\r\n`;
  const encoded: { encode(): Uint8Array } = { encode: () => Buffer.from(text) };
  return encoded as unknown as MsgHdrs;
}
