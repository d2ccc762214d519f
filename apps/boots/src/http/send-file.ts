import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { StoredFile } from '../boot-programs';
import { type ByteRange, parseByteRange } from './byte-range';
import type { HttpRequest, HttpResponse } from './http-message';

/**
 * Streams a file: GET and HEAD, Range and If-Range, ETag and If-None-Match. Resolves true when the last byte of the file went out,
 * false when the client asked for something else or went away.
 */
export async function sendFile(request: HttpRequest, response: HttpResponse, file: StoredFile): Promise<boolean> {
  const etag = `"${file.size.toString(16)}-${Math.round(file.modifiedMs).toString(16)}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Last-Modified', new Date(file.modifiedMs).toUTCString());
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Content-Type', 'application/octet-stream');
  if (matches(request.headers['if-none-match'], etag)) return finish(response, 304);
  const range = rangeOf(request, etag, file.size);
  if (range.kind === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${file.size}`);
    response.setHeader('Content-Length', 0);
    return finish(response, 416);
  }
  const { start, end } = range.kind === 'part' ? range : { start: 0, end: file.size - 1 };
  if (range.kind === 'part') response.setHeader('Content-Range', `bytes ${start}-${end}/${file.size}`);
  response.statusCode = range.kind === 'part' ? 206 : 200;
  response.setHeader('Content-Length', end - start + 1);
  if (request.method === 'HEAD' || file.size === 0) return finish(response, response.statusCode);
  try {
    await pipeline(createReadStream(file.path, { start, end }), response);
  } catch {
    // The client went away, or the file became shorter: the connection is broken off, which is how the client learns.
    return false;
  }
  return end === file.size - 1;
}

function rangeOf(request: HttpRequest, etag: string, size: number): ByteRange {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return { kind: 'whole' };
  return parseByteRange(request.headers.range, size);
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((part) => part.trim() === '*' || part.trim().replace(/^W\//, '') === etag);
}

function finish(response: HttpResponse, status: number): boolean {
  response.statusCode = status;
  response.end();
  return false;
}
