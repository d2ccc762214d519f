import type { Msg, MsgHdrs, NatsConnection, NatsError, Subscription } from 'nats';

/** What is needed of the client's module, which is loaded late. */
export interface NatsModule {
  readonly createInbox: (prefix?: string) => string;
  readonly NatsError: new (message: string, code: string) => NatsError;
}

export interface Question<T> {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs;
  /** Called with each message that answers, until it returns something or throws. */
  readonly take: (message: Msg) => T | undefined;
}

interface Waiting {
  readonly subject: string;
  deadline: number;
  readonly take: (message: Msg) => boolean;
  readonly reject: (error: Error) => void;
}

/**
 * Requests over one subscription. What the client's own `request` does, also for answers of several messages, without the timer and the
 * error objects (for their stack) that it makes for each.
 */
export class Answers {
  readonly #inbox: string;
  /** By token; those that were asked or answered last come last. */
  readonly #waiting = new Map<string, Waiting>();
  #subscription: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #asked = 0;

  constructor(
    private readonly nats: NatsModule,
    private readonly connection: NatsConnection,
    private readonly timeoutMs: number,
  ) {
    this.#inbox = `${nats.createInbox()}.`;
    void this.#watchPermissions();
  }

  /** Rejects with what `take` throws, or a NatsError: TIMEOUT when the answer stopped coming, PERMISSIONS_VIOLATION. */
  ask<T>({ subject, data, headers, take }: Question<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#subscription ??= this.#listen();
      const token = `${++this.#asked}`;
      const taken = (message: Msg): boolean => {
        const found = take(message);
        if (found !== undefined) resolve(found);
        return found !== undefined;
      };
      this.#waiting.set(token, { subject, deadline: Date.now() + this.timeoutMs, take: taken, reject });
      this.#timer ??= setTimeout(() => this.#giveUp(), this.timeoutMs).unref();
      try {
        this.connection.publish(subject, data, { reply: this.#inbox + token, ...(headers && { headers }) });
      } catch (error) {
        this.#waiting.delete(token);
        reject(error);
      }
    });
  }

  /** A question that is not allowed gets no answer: the server says so aside. */
  async #watchPermissions(): Promise<void> {
    for await (const { permissionContext } of this.connection.status()) {
      if (permissionContext?.operation !== 'publish') continue;
      const { subject } = permissionContext;
      for (const [token, waiting] of this.#waiting) {
        if (waiting.subject !== subject) continue;
        this.#waiting.delete(token);
        waiting.reject(new this.nats.NatsError(`publishing to ${subject} is not allowed`, 'PERMISSIONS_VIOLATION'));
      }
    }
  }

  #listen(): Subscription {
    return this.connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => (error ? this.#failAll(error) : this.#hand(message)),
    });
  }

  #hand(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length);
    const waiting = this.#waiting.get(token);
    if (!waiting) return;
    this.#waiting.delete(token);
    try {
      if (waiting.take(message)) return;
    } catch (error) {
      return waiting.reject(error instanceof Error ? error : new Error(String(error)));
    }
    waiting.deadline = Date.now() + this.timeoutMs;
    this.#waiting.set(token, waiting);
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
      reject(new this.nats.NatsError('TIMEOUT', 'TIMEOUT'));
    }
  }
}
