import { createHash, timingSafeEqual } from 'node:crypto';
import { UnauthorizedError } from './http-errors';
import { pathOf, type HttpRequest, type HttpResponse } from './http-message';

/** Open to everybody: nothing secret, and needed before a caller can have credentials. `/v1/enrol` asks for a token of its own. */
const open: ReadonlySet<string> = new Set(['/cert', '/version', '/healthz', '/metrics', '/v1/enrol']);

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The `Authorization` header holds these credentials (RFC 7617). Takes as long for a wrong guess as for a nearly right one. */
export function isAuthorised(header: string | undefined, { username, password }: Credentials): boolean {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '') ?? [];
  return timingSafeEqual(digest(Buffer.from(encoded, 'base64')), digest(Buffer.from(`${username}:${password}`)));
}

/** Refuses every request without credentials but those to the open paths; without configured credentials all may pass. */
export function basicAuth(credentials: Credentials) {
  const required = credentials.username !== '' || credentials.password !== '';
  return (request: HttpRequest, response: HttpResponse, next: (error?: unknown) => void): void => {
    if (!required || open.has(pathOf(request)) || isAuthorised(request.headers.authorization, credentials)) {
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Basic realm="tinkerbell", charset="UTF-8"');
    next(new UnauthorizedError());
  };
}

// Equal lengths for timingSafeEqual, whatever was sent.
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
