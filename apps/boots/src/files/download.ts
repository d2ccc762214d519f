import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isAllowed } from './origins';

/** An origin that did not give what it was asked for. */
export class OriginError extends Error {}

export interface Download {
  readonly url: URL;
  /** Where it gathers; what lies there already is gone on from. */
  readonly path: string;
  /** URL prefixes that may be asked, after a redirect too. */
  readonly origins: readonly string[];
  /** Before bytes are written: how large it will be at least. Throws when that is too large. */
  readonly onSize: (bytes: number) => Promise<void>;
  readonly signal: AbortSignal;
  /** So long without a byte is the end of an attempt. */
  readonly stallMs: number;
}

const mostRedirects = 5;

/**
 * Asks for what is missing and appends it; resolves with the SHA-256 of the whole, hex. The bytes are those that come, whatever
 * `Content-Encoding` the origin gives a file that lies there compressed. Throws OriginError; what came so far stays.
 */
export async function download(wanted: Download): Promise<string> {
  const { path, url, stallMs } = wanted;
  const have = await sizeOf(path);
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(new OriginError(`${url.href}: no byte for ${stallMs / 1000} s`)), stallMs);
  const signal = AbortSignal.any([wanted.signal, stall.signal]);
  try {
    const { response, from } = await answerOf(wanted, have, signal);
    try {
      if (from === undefined) return (await hashOf(path)).digest('hex');
      await wanted.onSize(from + Number(response.headers['content-length'] ?? 0));
      const bytes = bytesOf(response, url, signal);
      return await append(bytes, { path, from, onSize: wanted.onSize, alive: () => timer.refresh() });
    } finally {
      response.destroy();
    }
  } finally {
    clearTimeout(timer);
  }
}

interface Target extends Pick<Download, 'path' | 'onSize'> {
  readonly from: number;
  readonly alive: () => void;
}

/** Resolves with the SHA-256 of the whole. */
async function append(bytes: AsyncIterable<Uint8Array>, { path, from, onSize, alive }: Target): Promise<string> {
  const hash = from === 0 ? createHash('sha256') : await hashOf(path);
  const file = await open(path, from === 0 ? 'w' : 'a');
  try {
    let at = from;
    for await (const part of bytes) {
      alive();
      at += part.length;
      await onSize(at);
      hash.update(part);
      // All of it: `write` alone stops short where a disk gets full.
      await file.appendFile(part);
    }
    // Before it gets its name: what is lost with the power is not what its name says.
    await file.datasync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** `from`: where its bytes belong; undefined: all are here already. */
async function answerOf(
  wanted: Download,
  have: number,
  signal: AbortSignal,
): Promise<{ readonly response: IncomingMessage; readonly from: number | undefined }> {
  const { url } = wanted;
  const response = await ask(wanted, have, signal);
  const { statusCode: status } = response;
  const range = response.headers['content-range'] ?? '';
  if (status === 200) return { response, from: 0 };
  if (status === 206 && range.startsWith(`bytes ${have}-`)) return { response, from: have };
  response.destroy();
  if (status === 416 && range === `bytes */${have}`) return { response, from: undefined };
  // It has less than lies here, which was of another version then.
  if (status === 416 && have > 0) return answerOf(wanted, 0, signal);
  throw new OriginError(`${url.href} answered ${status}${range === '' ? '' : ` (${range})`}`);
}

async function ask({ url, origins }: Download, have: number, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
  let at = url;
  for (let i = 0; i <= mostRedirects; i++) {
    if (!isAllowed(at, origins)) throw new OriginError(`${at.href} is at none of BOOTS_CACHE_ORIGINS`);
    const response = await get(at, headers, signal);
    const { statusCode = 0 } = response;
    const { location } = response.headers;
    if (statusCode < 300 || statusCode >= 400 || location === undefined) return response;
    response.destroy();
    if (!URL.canParse(location, at.href))
      throw new OriginError(`${url.href} leads to ${JSON.stringify(location)}, no URL`);
    at = new URL(location, at);
  }
  throw new OriginError(`${url.href}: more than ${mostRedirects} redirects`);
}

/** Not by `fetch`, which unpacks what it is sent. */
function get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, signal, agent: false }, resolve);
    asked.on('error', (error) => reject(failure(url, error, signal)));
    asked.end();
  });
}

async function* bytesOf(response: IncomingMessage, url: URL, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of response) yield part as Uint8Array;
  } catch (error) {
    throw failure(url, error, signal);
  }
}

function failure(url: URL, error: unknown, signal: AbortSignal): OriginError {
  const reason: unknown = signal.reason;
  if (reason instanceof OriginError) return reason;
  return new OriginError(`${url.href}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Of a file. */
export async function hashOf(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash;
}
