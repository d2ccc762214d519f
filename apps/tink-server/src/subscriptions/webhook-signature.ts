import { createHmac, randomBytes } from 'node:crypto';
import { InvalidError } from '@tinkerbell/domain';

export const secretPrefix = 'whsec_';

/** A new secret in the form of Standard Webhooks: `whsec_` and 32 random bytes in base64. */
export function newWebhookSecret(): string {
  return `${secretPrefix}${randomBytes(32).toString('base64')}`;
}

/** A secret that somebody chose. Throws InvalidError. */
export function checkedWebhookSecret(secret: string): string {
  const encoded = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : '';
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') === encoded && bytes.length >= 24 && bytes.length <= 64) return secret;
  throw new InvalidError(
    'webhook.secret',
    'webhook.secret must be whsec_ and 24 to 64 bytes in base64 (leave it out to have one made)',
  );
}

/** `webhook-signature` (Standard Webhooks 1.0): HMAC-SHA256 over `<id>.<timestamp>.<body>`. `timestamp`: seconds since 1970. */
export function webhookSignature(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
