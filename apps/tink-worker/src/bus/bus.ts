/** What the worker needs of the message bus; `nats.ts` is the adapter, `fake.ts` the one for specs. Bodies are JSON. */
export abstract class Bus {
  /** False while the connection is being made again: nothing is worth trying then. */
  abstract readonly connected: boolean;
  /** One try to store a message in a stream. Resolves at the acknowledgement, which is also what a repeated `id` gets. */
  abstract publish(subject: string, body: object, id: string): Promise<void>;
  /** One request; rejects when nobody answers in time. */
  abstract request(subject: string, body: object, timeoutMs: number): Promise<unknown>;
  /** Calls `wake` for every message on the subject, and whenever the connection came back. */
  abstract onWake(subject: string, wake: () => void): void;
  abstract close(): Promise<void>;
}

/** The credential is no longer good: expired, revoked, or from another installation. */
export class CredentialRefusedError extends Error {
  override readonly name = 'CredentialRefusedError';
}

/** The server does not take messages of that size; trying again is of no use. */
export class MessageTooLargeError extends Error {
  override readonly name = 'MessageTooLargeError';
}
