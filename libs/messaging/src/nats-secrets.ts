import type { KV, NatsConnection } from 'nats';
import { BusUnavailableError } from './nats-connect';
import { secretsBucket } from './nats-names';

/** Where sealed values lie, each under a key of its own that is never written twice. Type and injection token in one. */
export abstract class SecretBucket {
  /** Resolves when it is stored. Throws BusUnavailableError, as all of these. */
  abstract put(key: string, sealed: Uint8Array): Promise<void>;
  /** undefined when there is none. */
  abstract get(key: string): Promise<Uint8Array | undefined>;
  /** For good. A key that is not there is no error. */
  abstract delete(key: string): Promise<void>;
}

/** For tests and tools. */
export class InMemorySecretBucket extends SecretBucket {
  readonly values = new Map<string, Uint8Array>();

  async put(key: string, sealed: Uint8Array): Promise<void> {
    this.values.set(key, sealed.slice());
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.values.get(key)?.slice();
  }

  async delete(key: string): Promise<void> {
    this.values.delete(key);
  }
}

/** In the key-value bucket `tink_secrets`. */
export class NatsSecretBucket extends SecretBucket {
  private bucket: Promise<KV> | undefined;

  constructor(private readonly connection: NatsConnection) {
    super();
  }

  async put(key: string, sealed: Uint8Array): Promise<void> {
    await this.try((bucket) => bucket.put(key, sealed));
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.try(async (bucket) => {
      const entry = await bucket.get(key);
      return entry?.operation === 'PUT' ? entry.value : undefined;
    });
  }

  async delete(key: string): Promise<void> {
    await this.try((bucket) => bucket.purge(key));
  }

  private async try<T>(attempt: (bucket: KV) => Promise<T>): Promise<T> {
    try {
      // The stream below is declared in infra/nats with the other ones; here it is only opened.
      this.bucket ??= this.connection.jetstream().views.kv(secretsBucket, { bindOnly: true });
      return await attempt(await this.bucket);
    } catch (error) {
      this.bucket = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      throw new BusUnavailableError(`secrets are not to be had: ${reason}`, { cause: error });
    }
  }
}
