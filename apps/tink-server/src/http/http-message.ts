import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** What we use of an express request; express itself ships no types. */
export interface HttpRequest extends IncomingMessage {
  readonly originalUrl: string;
  body?: unknown;
}
export type HttpResponse = ServerResponse;

/** The path of the request as the client wrote it, without the query. */
export function pathOf(request: HttpRequest): string {
  const [path = ''] = (request.originalUrl || request.url || '').split('?');
  return path;
}

export function isEncrypted(request: HttpRequest): boolean {
  return (request.socket as Partial<TLSSocket>).encrypted === true;
}

/** The peer's address, without the zone of a link-local one; an IPv4 address that came in on an IPv6 socket is written as IPv4. */
export function peerAddress(request: HttpRequest): string {
  return (request.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
}

export function sendJson(response: HttpResponse, status: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(`${JSON.stringify(body)}\n`);
}
