import { TLSSocket } from 'node:tls';
import type { StoredFile } from '../boot-programs';
import type { SharedFiles } from '../files/shared-files';
import { type ByteRange, parseByteRange } from './byte-range';
import type { HttpRequest, HttpResponse } from './http-message';
import { sendBytes } from './send-bytes';
import { leastStraight, sendStraight } from './send-straight';

/** First and last byte, counted from 0. `isSent`: false when it broke off. */
export interface SentPart {
  readonly start: number;
  readonly end: number;
  readonly isSent: boolean;
}

/**
 * Streams a file: GET and HEAD, Range and If-Range, ETag, If-None-Match and If-Modified-Since. Resolves with what of it went out, undefined
 * when nothing had to.
 */
export async function sendFile(
  request: HttpRequest,
  response: HttpResponse,
  file: StoredFile,
  files: SharedFiles,
): Promise<SentPart | undefined> {
  const etag = `"${file.tag ?? `${file.size.toString(16)}-${Math.round(file.modifiedMs).toString(16)}`}"`;
  response.setHeader('ETag', etag);
  const modified = file.tag === undefined ? new Date(file.modifiedMs).toUTCString() : '';
  if (modified !== '') response.setHeader('Last-Modified', modified);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Content-Type', 'application/octet-stream');
  if (isUnchanged(request, etag, modified)) return finish(response, 304);
  const range = rangeOf(request, [etag, modified], file.size);
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
  const content = files.acquire(file);
  const sendfile = response.socket instanceof TLSSocket ? undefined : files.sendfile;
  const isSent =
    sendfile && end - start >= leastStraight
      ? await sendStraight(response, content, sendfile, start, end)
      : await sendBytes(response, content, start, end);
  return { start, end, isSent };
}

/** RFC 9110 §14.2: Range is for GET alone. §13.1.5: only what names this very version lets a part be sent. */
function rangeOf(request: HttpRequest, versions: readonly string[], size: number): ByteRange {
  if (request.method !== 'GET') return { kind: 'whole' };
  const condition = request.headers['if-range'];
  if (typeof condition === 'string' && !versions.includes(condition)) return { kind: 'whole' };
  return parseByteRange(request.headers.range, size);
}

/** RFC 9110 §13.1.3: the date only counts without a tag. */
function isUnchanged({ headers }: HttpRequest, etag: string, modified: string): boolean {
  if (headers['if-none-match'] !== undefined) return matches(headers['if-none-match'], etag);
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return Date.parse(modified) <= since;
}

function matches(header: string, etag: string): boolean {
  return header.split(',').some((part) => part.trim() === '*' || part.trim().replace(/^W\//, '') === etag);
}

function finish(response: HttpResponse, status: number): undefined {
  response.statusCode = status;
  response.end();
}
