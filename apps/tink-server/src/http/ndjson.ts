import { once } from 'node:events';
import { sendJson, type HttpResponse } from './http-message';
import { describeError, internalError } from './error-body';

/**
 * Writes each item as one line of JSON. Ends without a trace when the client goes away: `open` gets a signal that aborts then. An error
 * before the first line is an ordinary answer; later the connection is cut, so that a client never takes a part for the whole.
 */
export async function sendNdjson(
  response: HttpResponse,
  open: (signal: AbortSignal) => AsyncIterable<unknown> | Iterable<unknown>,
  options: { readonly follow?: boolean } = {},
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  // Who follows an empty stream should know that it is connected.
  if (options.follow) start(response);
  try {
    for await (const item of open(gone.signal)) {
      if (gone.signal.aborted) return;
      start(response);
      if (!response.write(`${JSON.stringify(item)}\n`)) await once(response, 'drain', { signal: gone.signal });
    }
    start(response);
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    const described = describeError(error);
    if (!described && response.headersSent) throw error;
    sendJson(response, described?.status ?? 500, described?.body ?? internalError);
  }
}

/** Sends the headers now. */
function start(response: HttpResponse): void {
  if (response.headersSent) return;
  response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.flushHeaders();
}
