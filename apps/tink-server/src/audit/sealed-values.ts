import type { SealedLine } from '@tinkerbell/event-store';
import { secretsBucket, webhookSecretsBucket, type SecretBucket } from '@tinkerbell/messaging';
import type { WebhookSecrets } from '../subscriptions/webhook-secrets';

/** What lies sealed beside the log, as lines of a backup. Nothing is unsealed for it. */
export class SealedValues {
  constructor(
    private readonly actions: SecretBucket,
    private readonly webhooks: WebhookSecrets,
  ) {}

  async lines(): Promise<readonly SealedLine[]> {
    const lines: SealedLine[] = [];
    for (const key of await this.actions.keys()) lines.push(...line(secretsBucket, key, await this.actions.get(key)));
    for (const name of await this.webhooks.names()) {
      lines.push(...line(webhookSecretsBucket, name, await this.webhooks.sealedOf(name)));
    }
    return lines;
  }
}

/** None when it was removed after it was listed. */
function line(bucket: string, sealed: string, bytes: Uint8Array | undefined): readonly SealedLine[] {
  return bytes === undefined ? [] : [{ sealed, bucket, base64: Buffer.from(bytes).toString('base64') }];
}
