import type { KV, NatsConnection } from 'nats';
import { BusUnavailableError } from './nats-connect';

/** Where sealed values lie. Type and injection token in one. */
export abstract class SecretBucket {
  /** Resolves when it is stored. Throws BusUnavailableError, as all of these. */
  abstract put(key: string, sealed: Uint8Array): Promise<void>;
  /** undefined when there is none. */
  abstract get(key: string): Promise<Uint8Array | undefined>;
  /** As `put`, unless another value than `before` is there by now: then false. */
  abstract replace(key: string, before: Uint8Array, sealed: Uint8Array): Promise<boolean>;
  abstract keys(): Promise<readonly string[]>;
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

  async replace(key: string, before: Uint8Array, sealed: Uint8Array): Promise<boolean> {
    if (!isSame(this.values.get(key), before)) return false;
    await this.put(key, sealed);
    return true;
  }

  async keys(): Promise<readonly string[]> {
    return [...this.values.keys()];
  }

  async delete(key: string): Promise<void> {
    this.values.delete(key);
  }
}

/** In a key-value bucket: `tink_secrets` or `tink_webhook_secrets`. */
export class NatsSecretBucket extends SecretBucket {
  private bucket: Promise<KV> | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly name: string,
  ) {
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

  replace(key: string, before: Uint8Array, sealed: Uint8Array): Promise<boolean> {
    return this.try(async (bucket) => {
      const entry = await bucket.get(key);
      if (entry?.operation !== 'PUT' || !isSame(entry.value, before)) return false;
      try {
        await bucket.update(key, sealed, entry.revision);
        return true;
      } catch (error) {
        if (isWrongRevision(error)) return false;
        throw error;
      }
    });
  }

  keys(): Promise<readonly string[]> {
    return this.try(async (bucket) => {
      const found: string[] = [];
      for await (const key of await bucket.keys()) found.push(key);
      return found;
    });
  }

  async delete(key: string): Promise<void> {
    await this.try((bucket) => bucket.purge(key));
  }

  private async try<T>(attempt: (bucket: KV) => Promise<T>): Promise<T> {
    try {
      // The stream below is declared in infra/nats with the other ones; here it is only opened.
      this.bucket ??= this.connection.jetstream().views.kv(this.name, { bindOnly: true });
      return await attempt(await this.bucket);
    } catch (error) {
      this.bucket = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      throw new BusUnavailableError(`${this.name} cannot be reached: ${reason}`, { cause: error });
    }
  }
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && Buffer.compare(one, other) === 0;
}

/** err_code of the JetStream API. */
const wrongLastSequence = 10071;

function isWrongRevision(error: unknown): boolean {
  if (!(error instanceof Error) || !('api_error' in error)) return false;
  return (error.api_error as { readonly err_code?: number }).err_code === wrongLastSequence;
}
