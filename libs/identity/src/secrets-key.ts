import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readSecret, writeSecret } from './secret-file';

export class SecretsKeyError extends Error {}

const keyBytes = 32;

/**
 * The key that the values of secrets are sealed with, 32 bytes: made on the first call and the same ever after, in `secrets.key` (base64,
 * 0600) in `dir`. Throws SecretsKeyError when the file is damaged.
 */
export async function ensureSecretsKey(dir: string): Promise<Uint8Array> {
  const file = join(dir, 'secrets.key');
  const text = await readSecret(file);
  if (text === undefined) {
    await writeSecret(file, `${randomBytes(keyBytes).toString('base64')}\n`);
    // Read back: of two processes that begin at the same time both use what the later one wrote.
    return ensureSecretsKey(dir);
  }
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === keyBytes && key.toString('base64') === text.trim()) return key;
  throw new SecretsKeyError(
    `${file} is damaged: restore it from a backup, or remove it to get a new key (every secret must be set again)`,
  );
}
