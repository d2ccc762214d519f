import type { CloudEvent } from '@tinkerbell/public-events';
import type { HttpResponse } from '../http/http-message';

/** The event as `application/cloudevents+json`, or 204. */
export async function sendNext(
  response: HttpResponse,
  next: (signal: AbortSignal) => Promise<CloudEvent | undefined>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const event = await next(gone.signal);
  response.setHeader('Cache-Control', 'no-store');
  response.statusCode = event ? 200 : 204;
  if (event) response.setHeader('Content-Type', 'application/cloudevents+json; charset=utf-8');
  response.end(event && `${JSON.stringify(event)}\n`);
}
