import { NotUtf8Error, TooLargeError } from './http-errors';
import { pathOf, type HttpRequest, type HttpResponse } from './http-message';
import { MalformedJsonError, parseJson } from './json-text';

const MiB = 1_048_576;
const dataPath = /^\/api\/workflows\/[^/]+\/data\/?$/i;

const secretPath = /^\/api\/secrets\/[^/]+\/?$/i;

/** Largest body in bytes: ephemeral data 10 MiB, everything else 1 MiB. */
export function bodyLimit(path: string): number {
  return dataPath.test(path) ? 10 * MiB : MiB;
}

/**
 * Sets `request.body` to the parsed JSON, whatever Content-Type says; undefined when there is no body. Ephemeral data stays text:
 * its bytes are stored as they came; so does a secret that is not declared to be JSON. Refuses a body over the limit as soon as it is known to be.
 */
export async function readBody(
  request: HttpRequest,
  _response: HttpResponse,
  next: (error?: unknown) => void,
): Promise<void> {
  const path = pathOf(request);
  try {
    const text = await textOf(request, bodyLimit(path));
    if (text === '') request.body = undefined;
    else if (dataPath.test(path)) request.body = text;
    else request.body = secretPath.test(path) ? secretOf(text, request) : parseJson(text);
  } catch (error) {
    discardRest(request);
    next(error);
    return;
  }
  next();
}

/** No error that comes of it shows a part of the text. */
function secretOf(text: string, request: HttpRequest): unknown {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return text;
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof MalformedJsonError)) throw error;
    throw new MalformedJsonError(error.line, error.column, 'unexpected text');
  }
}

async function textOf(request: HttpRequest, limit: number): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new TooLargeError(limit, 'body');
  const chunks: Buffer[] = [];
  let size = 0;
  // Not `for await`: leaving that loop would destroy the socket before the refusal is written.
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        request.removeAllListeners('data');
        reject(new TooLargeError(limit, 'body'));
      } else chunks.push(chunk);
    });
    request.once('end', resolve);
    request.once('error', reject);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new NotUtf8Error();
  }
}

// A client that is still writing would see a reset instead of the answer if the connection were closed now.
function discardRest(request: HttpRequest): void {
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > 64 * MiB) request.destroy();
  });
  request.resume();
}
