import type { Metrics } from '../metrics';
import type { HttpRequest, HttpResponse } from './http-message';

/** Counts every answered request by route; a path names a file or a machine, so only its kind becomes a label. */
export function countRequests(metrics: Metrics) {
  return (request: HttpRequest & { readonly originalUrl?: string }, response: HttpResponse, next: () => void): void => {
    const route = routeOf(request.originalUrl ?? request.url ?? '/');
    response.once('close', () => metrics.count('http_requests_total', { route, code: String(response.statusCode) }));
    next();
  };
}

function routeOf(url: string): string {
  const path = url.split('?')[0] ?? '/';
  if (path.endsWith('/auto.ipxe')) return 'auto.ipxe';
  const [, first = ''] = path.split('/');
  return ['osie', 'images', 'cache', 'phone-home', 'discovery', 'iso', 'metrics', 'healthz', 'version'].includes(first)
    ? first
    : 'program';
}
