import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { PlainHttpError, UnauthorizedError } from './http-errors';
import { isEncrypted, pathOf, peerAddress, type HttpRequest, type HttpResponse } from './http-message';

/** Open to everybody: nothing secret, and needed before a caller can have credentials. `/v1/enrol` asks for a token of its own. */
const open: ReadonlySet<string> = new Set([
  ...['/cert', '/version', '/healthz', '/metrics', '/v1/enrol'],
  ...['/schemas/template-0.1.json', '/schemas/template-1.0.json'],
]);

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
  const required = isRequired(credentials);
  return (request: HttpRequest, response: HttpResponse, next: (error?: unknown) => void): void => {
    if (!required || open.has(pathOf(request)) || isAuthorised(request.headers.authorization, credentials)) {
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Basic realm="tinkerbell", charset="UTF-8"');
    next(new UnauthorizedError(request.headers.authorization !== undefined));
  };
}

/**
 * Refuses, before any password is asked for, what `basicAuth` would ask one for when it comes over plain HTTP from another host.
 * `httpsPort`: where to go instead; asked for at each refusal, since it is known only once bound.
 */
export function httpsOnly(credentials: Credentials, httpsPort: () => number) {
  const required = isRequired(credentials);
  return (request: HttpRequest, _response: HttpResponse, next: (error?: unknown) => void): void => {
    const inClear = required && !isEncrypted(request) && !isLoopback(peerAddress(request));
    if (!inClear || open.has(pathOf(request))) {
      next();
      return;
    }
    const own = (request.socket.localAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
    next(new PlainHttpError(`https://${isIPv6(own) ? `[${own}]` : own}:${httpsPort()}`));
  };
}

function isRequired({ username, password }: Credentials): boolean {
  return username !== '' || password !== '';
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

// Equal lengths for timingSafeEqual, whatever was sent.
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
