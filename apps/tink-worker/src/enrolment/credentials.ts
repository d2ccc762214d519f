import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EnrolReply } from '@tinkerbell/messaging';

/** The credentials file: what tink-server answered, and the key that it was answered for. */
export interface Credentials extends EnrolReply {
  readonly seed: string;
  readonly publicKey: string;
}

/** The key alone: written before the first try, so that a lost answer can be asked for again with the same key. */
export type OwnKey = Pick<Credentials, 'seed' | 'publicKey' | 'workerId'>;

/** Undefined when there is no file, or none that is whole: then there is nothing to lose by enrolling. */
export function readCredentials(
  file: string,
): { readonly key: OwnKey; readonly whole: Credentials | undefined } | undefined {
  let stored: Partial<Credentials>;
  try {
    stored = JSON.parse(readFileSync(file, 'utf8')) as Partial<Credentials>;
  } catch {
    return undefined;
  }
  const { seed, publicKey, workerId } = stored ?? {};
  if (typeof seed !== 'string' || typeof publicKey !== 'string' || typeof workerId !== 'string') return undefined;
  const whole = faultOf(stored) === undefined ? (stored as Credentials) : undefined;
  return { key: { seed, publicKey, workerId }, whole };
}

/** Replaces the file in one step; only its owner may read it. */
export function writeCredentials(file: string, content: OwnKey | Credentials): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSafely(file, `${JSON.stringify(content, null, 2)}\n`, 0o600);
}

/** Makes the engine trust the registry: `<dir>/<host:port>/ca.crt`. */
export function trustRegistry(certsDirectory: string, registry: string, ca: string): void {
  if (!/^[A-Za-z0-9.[\]_-]+(:\d+)?$/.test(registry) || registry.startsWith('..')) {
    throw new Error(`registry ${JSON.stringify(registry)} is not host or host:port`);
  }
  const directory = join(certsDirectory, registry);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  writeFileSafely(join(directory, 'ca.crt'), ca, 0o644);
}

/** What is wrong with an answer to an enrolment, or undefined. */
export function faultOf(reply: Partial<EnrolReply>): string | undefined {
  for (const name of ['workerId', 'jwt', 'natsUrl', 'ca', 'expiresAt'] as const) {
    if (typeof reply?.[name] !== 'string') return `${name} is missing`;
  }
  for (const name of ['address', 'username', 'password'] as const) {
    if (typeof reply.registry?.[name] !== 'string') return `registry.${name} is missing`;
  }
  return Number.isNaN(Date.parse(reply.expiresAt ?? '')) ? 'expiresAt is not a time' : undefined;
}

function writeFileSafely(file: string, text: string, mode: number): void {
  const fd = openSync(`${file}.new`, 'w', mode);
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(`${file}.new`, file);
}
