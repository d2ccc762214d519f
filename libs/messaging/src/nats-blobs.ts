import { createHash } from 'node:crypto';
import type { NatsConnection, ObjectStore } from 'nats';
import { BusUnavailableError } from './nats-connect';
import { dataBucket } from './nats-names';

/** Large bodies by the SHA-256 (hex) of their content; the same content is stored once. Type and injection token in one. */
export abstract class Blobs {
  /** Resolves when all of it is stored. Throws BusUnavailableError, TypeError when the content is not what the digest says. */
  abstract put(sha256: string, content: Uint8Array): Promise<void>;
  /** undefined when there is none. Throws BusUnavailableError, BlobDamagedError. */
  abstract get(sha256: string): Promise<Uint8Array | undefined>;
}

/** What is stored under a digest is something else. */
export class BlobDamagedError extends Error {
  constructor(readonly sha256: string) {
    super(`what is stored as ${sha256} has been changed or is not whole`);
  }
}

/** For tests and tools. */
export class InMemoryBlobs extends Blobs {
  readonly #contents = new Map<string, Uint8Array>();

  async put(sha256: string, content: Uint8Array): Promise<void> {
    checkDigest(sha256, content);
    this.#contents.set(sha256, content.slice());
  }

  async get(sha256: string): Promise<Uint8Array | undefined> {
    return this.#contents.get(sha256)?.slice();
  }
}

const timeoutMs = 10_000;

/** In the object-store bucket `tink_data`. */
export class NatsBlobs extends Blobs {
  private bucket: Promise<ObjectStore> | undefined;

  constructor(private readonly connection: NatsConnection) {
    super();
  }

  async put(sha256: string, content: Uint8Array): Promise<void> {
    checkDigest(sha256, content);
    await this.try(`${sha256} was not stored`, async (bucket) => {
      const found = await bucket.info(sha256);
      // The object's own digest is base64url of the same SHA-256: one that is damaged is stored again.
      const digest = `SHA-256=${Buffer.from(sha256, 'hex').toString('base64url')}`;
      if (found && !found.deleted && found.size === content.length && found.digest.replace(/=+$/, '') === digest)
        return;
      await bucket.putBlob({ name: sha256 }, content, { timeout: timeoutMs });
    });
  }

  async get(sha256: string): Promise<Uint8Array | undefined> {
    const content = await this.try(`${sha256} cannot be read`, async (bucket) => {
      const object = await withTimeout(bucket.getBlob(sha256));
      return object ?? undefined;
    });
    if (content && digestOf(content) !== sha256) throw new BlobDamagedError(sha256);
    return content;
  }

  private async try<T>(what: string, attempt: (bucket: ObjectStore) => Promise<T>): Promise<T> {
    try {
      // The stream below is declared in infra/nats with the other ones; here it is only opened.
      this.bucket ??= this.connection.jetstream().views.os(dataBucket);
      return await attempt(await this.bucket);
    } catch (error) {
      this.bucket = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      throw new BusUnavailableError(`${what}: ${reason}`, { cause: error });
    }
  }
}

/** A chunk that is missing would otherwise be waited for without end. */
async function withTimeout<T>(reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('not all of it came in time')), timeoutMs);
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}

function checkDigest(sha256: string, content: Uint8Array): void {
  if (digestOf(content) !== sha256) throw new TypeError(`the content is not ${sha256}`);
}

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
