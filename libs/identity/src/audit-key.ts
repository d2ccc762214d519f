import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { readSecret, writeSecret } from './secret-file';

/** Signs what this site says of its log. The private key never leaves this object. */
export interface AuditKey {
  /** PEM (SPKI) of an Ed25519 key. Anybody may have it. */
  readonly publicKey: string;
  /** Public keys of the sites that the log was restored from: what they signed stays good. */
  readonly formerKeys: readonly string[];
  /** Base64. */
  sign(text: string): string;
}

export class AuditKeyFileError extends Error {}

const keyFile = (dir: string) => join(dir, 'audit.key');
const formerFile = (dir: string) => join(dir, 'audit-former.pem');

/** The key in `dir`, made on the first call and the same ever after. Throws AuditKeyFileError when a file is damaged. */
export async function ensureAuditKey(dir: string): Promise<AuditKey> {
  const stored = await readSecret(keyFile(dir));
  const pem = stored ?? newKey();
  const privateKey = parsed(keyFile(dir), () => createPrivateKey(pem));
  if (stored === undefined) await writeSecret(keyFile(dir), pem);
  return {
    publicKey: pemOf(createPublicKey(privateKey)),
    formerKeys: await readFormerKeys(dir),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

/** Trusts further keys, none twice and never the site's own. Returns those that were added. */
export async function addFormerAuditKeys(dir: string, publicKeys: readonly string[]): Promise<readonly string[]> {
  const { publicKey, formerKeys } = await ensureAuditKey(dir);
  const known = new Set([publicKey, ...formerKeys]);
  const added = [...new Set(publicKeys.map((pem) => pemOf(createPublicKey(pem))))].filter((pem) => !known.has(pem));
  if (added.length > 0) await writeSecret(formerFile(dir), [...formerKeys, ...added].join(''));
  return added;
}

async function readFormerKeys(dir: string): Promise<readonly string[]> {
  const text = (await readSecret(formerFile(dir))) ?? '';
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  return blocks.map((block) => pemOf(parsed(formerFile(dir), () => createPublicKey(block))));
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function parsed(file: string, parse: () => KeyObject): KeyObject {
  let key: KeyObject | undefined;
  let cause: unknown;
  try {
    key = parse();
  } catch (error) {
    cause = error;
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new AuditKeyFileError(
    `${file} is damaged: restore it from a backup, or remove it to get a new key (what the old one signed is then told as signed by a foreign key)`,
    { cause },
  );
}
