import { createHash } from 'node:crypto';
import type { NatsConnection, ObjectStore } from 'nats';
import { BusUnavailableError } from './nats-connect';
import { dataBucket } from './nats-names';

const timeoutMs = 10_000;

/** Large bodies in the object-store bucket, by the SHA-256 (hex) of their content; the same content is stored once. */
export class NatsBlobs {
  private bucket: Promise<ObjectStore> | undefined;

  constructor(private readonly connection: NatsConnection) {}

  /** Resolves when all of it is stored. Throws BusUnavailableError, TypeError when the content is not what the digest says. */
  async put(sha256: string, content: Uint8Array): Promise<void> {
    if (createHash('sha256').update(content).digest('hex') !== sha256)
      throw new TypeError(`the content is not ${sha256}`);
    await this.try(`${sha256} was not stored`, async (bucket) => {
      if ((await bucket.info(sha256)) !== null) return;
      await bucket.putBlob({ name: sha256 }, content, { timeout: timeoutMs });
    });
  }

  /** undefined when there is none. Throws BusUnavailableError, also when what is stored has been changed. */
  get(sha256: string): Promise<Uint8Array | undefined> {
    return this.try(`${sha256} cannot be read`, async (bucket) => (await bucket.getBlob(sha256)) ?? undefined);
  }

  private async try<T>(what: string, attempt: (bucket: ObjectStore) => Promise<T>): Promise<T> {
    try {
      // The stream below is declared in infra/nats with the other ones; here it is only opened.
      this.bucket ??= this.connection.jetstream().views.os(dataBucket);
      return await attempt(await this.bucket);
    } catch (error) {
      this.bucket = undefined;
      throw new BusUnavailableError(`${what}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}
