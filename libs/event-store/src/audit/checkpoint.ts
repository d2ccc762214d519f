import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { AuditCheckpointed } from '@tinkerbell/events';
import { sha256Of } from './log-hash';

export type Checkpoint = AuditCheckpointed['data'];

/** Whoever holds the private key; `AuditKey` of libs/identity is one. */
export interface Signer {
  /** PEM (SPKI) of an Ed25519 key. */
  readonly publicKey: string;
  /** Base64. */
  sign(text: string): string;
}

/** A key whose checkpoints are believed. */
export interface TrustedKey {
  /** PEM (SPKI) of an Ed25519 key. */
  readonly publicKey: string;
  /** Of a site that this log was restored from. */
  readonly former?: boolean;
}

/** Not a PEM of an Ed25519 public key. */
export class AuditKeyError extends Error {}

export type Verdict = 'good' | 'foreign' | 'forged';

/** Names a key: SHA-256 (hex) of its DER. Throws AuditKeyError. */
export function keyIdOf(publicKey: string): string {
  return sha256Of(parsed(publicKey).export({ type: 'spki', format: 'der' }));
}

export function signCheckpoint(signer: Signer, position: number, hash: string): Checkpoint {
  const signature = signer.sign(checkpointText(position, hash));
  return { position, hash, keyId: keyIdOf(signer.publicKey), signature };
}

export class TrustedKeys {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  /** Throws AuditKeyError. */
  constructor(keys: readonly TrustedKey[]) {
    this.#keys = new Map(keys.map(({ publicKey }) => [keyIdOf(publicKey), parsed(publicKey)]));
  }

  judgeCheckpoint({ position, hash, keyId, signature }: Checkpoint): Verdict {
    return this.judge(checkpointText(position, hash), keyId, signature);
  }

  judge(text: string, keyId: string, signature: string): Verdict {
    const key = this.#keys.get(keyId);
    if (!key) return 'foreign';
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64')) ? 'good' : 'forged';
  }
}

/** The catalogue looks at no fields; here somebody may have changed them. */
export function isCheckpoint({
  position,
  hash,
  keyId,
  signature,
}: Readonly<Record<keyof Checkpoint, unknown>>): boolean {
  return Number.isSafeInteger(position) && [hash, keyId, signature].every((text) => typeof text === 'string');
}

/** The PEM blocks in a text; what stands around them does not matter. Throws AuditKeyError when there is none or one is no Ed25519 key. */
export function publicKeysIn(text: string): readonly string[] {
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  if (blocks.length === 0) throw new AuditKeyError('there is no public key (PEM) in it');
  for (const block of blocks) parsed(block);
  return blocks.map((block) => `${block}\n`);
}

function checkpointText(position: number, hash: string): string {
  return `tinkerbell checkpoint 1\n${position}\n${hash}\n`;
}

function parsed(publicKey: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(publicKey);
  } catch (error) {
    throw new AuditKeyError('a public key cannot be read', { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new AuditKeyError('a public key is not an Ed25519 key');
  return key;
}
