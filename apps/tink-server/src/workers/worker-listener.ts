import {
  ServerNats,
  type ConsumerDeserializer,
  type IncomingRequest,
  type MessageHandler,
} from '@nestjs/microservices';

/** What the transport uses of a NATS connection. */
export interface RpcConnection {
  subscribe(subject: string, options: object): { unsubscribe(): void };
  status(): unknown;
}

/**
 * Nest's NATS transport for what workers ask, over a connection that belongs to somebody else. Servers that run beside each other share
 * the requests.
 */
export class WorkerListener extends ServerNats {
  private readonly open: { unsubscribe(): void }[] = [];

  constructor(private readonly connection: RpcConnection) {
    super({ deserializer: bareJson, queue: 'tink-server' });
  }

  /** Our patterns are subjects. Nest would first try to read each of them as JSON. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    return this.messageHandlers.get(pattern) ?? null;
  }

  override createNatsClient(): Promise<unknown> {
    const { connection, open } = this;
    return Promise.resolve({
      status: () => connection.status(),
      subscribe(subject: string, options: object) {
        const subscription = connection.subscribe(subject, options);
        open.push(subscription);
        return subscription;
      },
      close: () => Promise.resolve(open.splice(0).forEach((subscription) => subscription.unsubscribe())),
    });
  }
}

/**
 * A worker sends the bare request; Nest would take a body with a `data` field for its own packet, and one without an id for an event
 * that needs no answer.
 */
export const bareJson: ConsumerDeserializer = {
  deserialize(value: Uint8Array, options?: Record<string, unknown>): IncomingRequest {
    const replyTo = options?.['replyTo'];
    return {
      pattern: String(options?.['channel']),
      data: bodyOf(value),
      id: typeof replyTo === 'string' ? replyTo : '',
    };
  },
};

// A body that is not JSON becomes undefined, which no request is: the handler refuses it and the worker gets to know.
function bodyOf(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(value));
  } catch {
    return undefined;
  }
}
