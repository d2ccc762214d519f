import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** What is stored is not what was sealed under this name, or it was sealed with another key. */
export class UnsealError extends Error {
  constructor(name: string, reason: string) {
    super(`the value of secret ${name} cannot be read: ${reason}`);
  }
}

const algorithm = 'aes-256-gcm';
const formatByte = 1;
const keyIdBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + keyIdBytes + nonceBytes + tagBytes;

/**
 * AES-256-GCM (NIST SP 800-38D) with a random nonce; bound to the name and the entry, so that no value can be put in the place of
 * another. Layout: version 1, 4 bytes that tell the key, 12 of nonce, 16 of tag, ciphertext. `key`: 32 bytes.
 */
export function seal(key: Uint8Array, name: string, entry: string, value: string): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  cipher.setAAD(boundTo(name, entry));
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.from([formatByte]), keyId(key), nonce, cipher.getAuthTag(), sealed]);
}

/** Throws UnsealError. */
export function unseal(key: Uint8Array, name: string, entry: string, bytes: Uint8Array): string {
  const sealed = Buffer.from(bytes);
  if (sealed.length < headBytes || sealed[0] !== formatByte) throw new UnsealError(name, 'it is damaged');
  const nonceAt = 1 + keyIdBytes;
  if (!sealed.subarray(1, nonceAt).equals(keyId(key))) {
    throw new UnsealError(
      name,
      'it was sealed with another key; restore the file secrets.key, or set the secret again',
    );
  }
  const tagAt = nonceAt + nonceBytes;
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(nonceAt, tagAt), { authTagLength: tagBytes });
  decipher.setAAD(boundTo(name, entry));
  decipher.setAuthTag(sealed.subarray(tagAt, headBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]).toString('utf8');
  } catch {
    throw new UnsealError(name, 'it is damaged');
  }
}

function boundTo(name: string, entry: string): Buffer {
  return Buffer.from(`${name}.${entry}`);
}

function keyId(key: Uint8Array): Buffer {
  return createHash('sha256').update('tinkerbell secrets key id').update(key).digest().subarray(0, keyIdBytes);
}
