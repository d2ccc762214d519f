import { InvalidError } from '@tinkerbell/domain';
import type { Caller } from '../commands/caller';
import type { HttpRequest } from './http-message';

/** Who sends this request. The name is proved where credentials are configured: basicAuth has let it through. */
export function callerOf(request: HttpRequest): Caller {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const [name = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  const actor = /^[\w.@-]{1,64}$/.test(name) ? `user:${name}` : 'user';
  const key = request.headers['idempotency-key'];
  if (Array.isArray(key)) throw new InvalidError('Idempotency-Key', 'Idempotency-Key may be given once');
  return key === undefined ? { actor } : { actor, key };
}
