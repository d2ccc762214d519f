import { InvalidError } from '@tinkerbell/domain';
import { TooLargeError } from './describe-error';
import type { HttpRequest } from './http-message';

const maxDrainedBytes = 64 * 1024 * 1024;

/** Throws TooLargeError. */
export async function readText(request: HttpRequest, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Uint8Array>) {
    size += part.length;
    // Read on to the end: an answer in the middle of the upload would be lost with the connection.
    if (size <= maxBytes) parts.push(part);
    else if (size > maxDrainedBytes) break;
  }
  if (size > maxBytes) throw new TooLargeError('body', maxBytes);
  return Buffer.concat(parts).toString('utf8');
}

/** Throws TooLargeError, and InvalidError for what is no JSON. */
export async function readJson(request: HttpRequest, maxBytes: number): Promise<unknown> {
  const text = await readText(request, maxBytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InvalidError('body', `body is not JSON: ${(error as Error).message}`);
  }
}
