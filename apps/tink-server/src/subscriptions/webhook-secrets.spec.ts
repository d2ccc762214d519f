import { randomBytes } from 'node:crypto';
import { InMemorySecretBucket } from '@tinkerbell/messaging';
import { beforeEach, describe, expect, it } from 'vitest';
import { UnsealError } from '../secrets/seal';
import { WebhookSecrets } from './webhook-secrets';
import { newWebhookSecret } from './webhook-signature';

const key = randomBytes(32);
const secret = newWebhookSecret();

let bucket: InMemorySecretBucket;
let secrets: WebhookSecrets;
beforeEach(() => {
  bucket = new InMemorySecretBucket();
  secrets = new WebhookSecrets(bucket, key);
});
const stored = (name: string) => Buffer.from(bucket.values.get(name) ?? []).toString('latin1');

describe('the secret of a webhook', () => {
  it('lies sealed, and is good for its own subscription and key only', async () => {
    await secrets.put('chat', secret);
    expect(stored('chat')).not.toContain('whsec_');
    expect(await secrets.get('chat')).toBe(secret);
    bucket.values.set('other', bucket.values.get('chat') ?? new Uint8Array());
    await expect(secrets.get('other')).rejects.toThrow(UnsealError);
    await expect(new WebhookSecrets(bucket, randomBytes(32)).get('chat')).rejects.toThrow(
      'the value of secret webhook:chat cannot be read: it was sealed with another key',
    );
    await secrets.delete('chat');
    expect(await secrets.get('chat')).toBeUndefined();
  });

  it('that an earlier release stored is sealed when it is read', async () => {
    await bucket.put('chat', Buffer.from(secret));
    expect(await secrets.get('chat')).toBe(secret);
    expect(stored('chat')).not.toContain('whsec_');
    expect(await secrets.get('chat')).toBe(secret);
  });

  it('that is replaced while the old one is sealed stays the new one', async () => {
    await bucket.put('chat', Buffer.from(secret));
    const replacement = newWebhookSecret();
    const get = bucket.get.bind(bucket);
    bucket.get = async (name) => {
      const found = await get(name);
      bucket.get = get;
      await secrets.put('chat', replacement);
      return found;
    };
    await secrets.get('chat');
    expect(await secrets.get('chat')).toBe(replacement);
  });
});
