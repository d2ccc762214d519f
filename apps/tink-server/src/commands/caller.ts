import { createHash, randomUUID } from 'node:crypto';
import { InvalidError, NotFoundError } from '@tinkerbell/domain';
import type { Aggregate, Metadata } from '@tinkerbell/events';
import { isSubjectToken, subjects } from '@tinkerbell/messaging';

/** Who wants something done. `key`: the client's Idempotency-Key; the same key again does nothing new. */
export interface Caller {
  readonly actor: string;
  readonly key?: string;
}

const keyForm = /^[\x21-\x7e]{1,200}$/;

/**
 * Metadata of a command. The log is de-duplicated by command id as a whole, so the client's key is joined with what it is for:
 * the same key on another resource is another command.
 */
export function metadataFor(caller: Caller, operation: string): Metadata {
  return {
    id: caller.key === undefined ? randomUUID() : `${operation}:${checkedKey(caller.key)}`,
    actor: caller.actor,
  };
}

/** The id of a new thing: random, or (RFC 9562 §5.8) made of the client's key so that a repeated request names the same thing. */
export function newId(caller: Caller, operation: string): string {
  if (caller.key === undefined) return randomUUID();
  const hash = createHash('sha256')
    .update(`${operation}:${checkedKey(caller.key)}`)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** The stream of a thing that a client named. */
export function streamOf(aggregate: Aggregate, id: string): string {
  if (!isSubjectToken(id)) throw new NotFoundError(aggregate, id);
  return subjects.stream(aggregate, id);
}

export function checkedKey(key: string): string {
  if (keyForm.test(key)) return key;
  throw new InvalidError('Idempotency-Key', 'Idempotency-Key must be 1 to 200 visible ASCII characters');
}
