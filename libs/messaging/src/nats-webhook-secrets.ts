import type { KV, NatsConnection } from 'nats';
import { BusUnavailableError } from './nats-connect';
import { webhookSecretsBucket } from './nats-names';

/** The secret that signs the webhook of a subscription, by the subscription's name. Type and injection token in one. */
export abstract class WebhookSecrets {
  /** undefined when there is none. Throws BusUnavailableError, as the others do. */
  abstract get(name: string): Promise<string | undefined>;
  abstract put(name: string, secret: string): Promise<void>;
  abstract delete(name: string): Promise<void>;
}

/** In the key-value bucket `tink_webhook_secrets`. */
export class NatsWebhookSecrets extends WebhookSecrets {
  #bucket: Promise<KV> | undefined;

  constructor(private readonly connection: NatsConnection) {
    super();
  }

  async get(name: string): Promise<string | undefined> {
    return this.#try(async (bucket) => {
      const entry = await bucket.get(name);
      return entry?.operation === 'PUT' ? entry.string() : undefined;
    });
  }

  async put(name: string, secret: string): Promise<void> {
    await this.#try((bucket) => bucket.put(name, new TextEncoder().encode(secret)));
  }

  async delete(name: string): Promise<void> {
    await this.#try((bucket) => bucket.purge(name));
  }

  async #try<T>(attempt: (bucket: KV) => Promise<T>): Promise<T> {
    try {
      // The stream below is declared in infra/nats; here it is only opened.
      this.#bucket ??= this.connection.jetstream().views.kv(webhookSecretsBucket, { bindOnly: true });
      return await attempt(await this.#bucket);
    } catch (error) {
      this.#bucket = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      throw new BusUnavailableError(`the secrets of webhooks cannot be reached: ${reason}`, { cause: error });
    }
  }
}
