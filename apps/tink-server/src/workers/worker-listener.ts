import { ServerNats, type ConsumerDeserializer, type IncomingRequest } from '@nestjs/microservices';

/**
 * Nest's NATS transport. A worker sends the bare request; Nest would take a body with a `data` field for its own packet, and one
 * without an id for an event that needs no answer.
 */
export const bareJson: ConsumerDeserializer = {
  deserialize(value: Uint8Array, options?: Record<string, unknown>): IncomingRequest {
    const replyTo = options?.['replyTo'];
    return { pattern: String(options?.['channel']), data: bodyOf(value), id: typeof replyTo === 'string' ? replyTo : '' };
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

export { ServerNats };
