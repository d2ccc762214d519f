import type { SecretBucket } from '@tinkerbell/messaging';
import { seal, unseal } from '../secrets/seal';
import { secretPrefix } from './webhook-signature';

/** Instead of the entry that a secret for actions has: a subscription has one secret, which is replaced in its place. */
const entry = 'webhook';

/** The secrets that sign webhooks, by the subscription's name; sealed like those for actions (ADR 0013). */
export class WebhookSecrets {
  constructor(
    private readonly bucket: SecretBucket,
    private readonly key: Uint8Array,
  ) {}

  /** undefined when there is none. Throws UnsealError, BusUnavailableError. */
  async get(name: string): Promise<string | undefined> {
    const bytes = await this.bucket.get(name);
    if (bytes === undefined) return undefined;
    const plain = plainSecret(bytes);
    if (plain === undefined) return unseal(this.key, boundTo(name), entry, bytes);
    await this.bucket.replace(name, bytes, this.sealed(name, plain));
    return plain;
  }

  names(): Promise<readonly string[]> {
    return this.bucket.keys();
  }

  /** As it is stored, or would be. */
  async sealedOf(name: string): Promise<Uint8Array | undefined> {
    const bytes = await this.bucket.get(name);
    const plain = bytes && plainSecret(bytes);
    return plain === undefined ? bytes : this.sealed(name, plain);
  }

  put(name: string, secret: string): Promise<void> {
    return this.bucket.put(name, this.sealed(name, secret));
  }

  delete(name: string): Promise<void> {
    return this.bucket.delete(name);
  }

  private sealed(name: string, secret: string): Uint8Array {
    return seal(this.key, boundTo(name), entry, secret);
  }
}

function boundTo(name: string): string {
  return `webhook:${name}`;
}

/** As the first releases stored it; what is sealed begins with a byte that is no text. */
function plainSecret(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  return text.startsWith(secretPrefix) ? text : undefined;
}
