import type { IncomingMessage, ServerResponse } from 'node:http';

/** What we use of Express' request and response. */
export type HttpRequest = IncomingMessage;
export type HttpResponse = ServerResponse;

export function peerOf(request: HttpRequest): string {
  return request.socket.remoteAddress ?? '';
}

/** Decoded path without the query; undefined when it is no path. */
export function pathOf(request: HttpRequest): string | undefined {
  try {
    return decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/');
  } catch {
    return undefined;
  }
}
