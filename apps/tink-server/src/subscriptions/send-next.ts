import type { CloudEvent } from '@tinkerbell/public-events';
import type { HttpResponse } from '../http/http-message';

/** The event as `application/cloudevents+json`, several as `application/cloudevents-batch+json`, or 204. */
export async function sendNext(
  response: HttpResponse,
  isBatch: boolean,
  next: (signal: AbortSignal) => Promise<readonly CloudEvent[]>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const events = await next(gone.signal);
  response.setHeader('Cache-Control', 'no-store');
  response.statusCode = events.length > 0 ? 200 : 204;
  if (events.length === 0) return void response.end();
  const type = isBatch ? 'application/cloudevents-batch+json' : 'application/cloudevents+json';
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  response.end(`${JSON.stringify(isBatch ? events : events[0])}\n`);
}
