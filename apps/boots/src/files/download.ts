import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
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

/** Asks for what is missing and appends it; resolves with the SHA-256 of the whole, hex. Throws OriginError; what came so far stays. */
export async function download(wanted: Download): Promise<string> {
  const { path } = wanted;
  const have = await sizeOf(path);
  const stall = new AbortController();
  const timer = setTimeout(
    () => stall.abort(new OriginError(`${wanted.url.href}: no byte for ${wanted.stallMs / 1000} s`)),
    wanted.stallMs,
  );
  const signal = AbortSignal.any([wanted.signal, stall.signal]);
  try {
    const response = await ask(wanted, have, signal);
    const from = startOf(response, have);
    if (from === undefined) return hashOf(path).then((hash) => hash.digest('hex'));
    const left = Number(response.headers.get('content-length') ?? 0);
    await wanted.onSize(from + left);
    const hash = from === 0 ? createHash('sha256') : await hashOf(path);
    const file = await open(path, from === 0 ? 'w' : 'a');
    try {
      await append(response, { file, hash, from, wanted, alive: () => timer.refresh() });
    } finally {
      await file.close();
    }
    return hash.digest('hex');
  } catch (error) {
    // Also why it was aborted.
    if (error instanceof OriginError || !isOfNetwork(error)) throw error;
    throw new OriginError(`${wanted.url.href}: ${told(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

interface Target {
  readonly file: FileHandle;
  readonly hash: Hash;
  readonly from: number;
  readonly wanted: Download;
  readonly alive: () => void;
}

async function append(response: Response, { file, hash, from, wanted, alive }: Target): Promise<void> {
  let at = from;
  for await (const part of response.body ?? []) {
    alive();
    at += (part as Uint8Array).length;
    await wanted.onSize(at);
    hash.update(part as Uint8Array);
    await file.write(part as Uint8Array);
  }
  const expected = response.headers.get('content-length');
  // Of a compressed answer the length is another one; we ask for none.
  if (expected !== null && at - from !== Number(expected))
    throw new OriginError(`${wanted.url.href}: ended after ${at} bytes`);
}

async function ask({ url, origins }: Download, have: number, signal: AbortSignal): Promise<Response> {
  const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
  let at = url;
  for (let i = 0; i <= mostRedirects; i++) {
    if (!isAllowed(at, origins)) throw new OriginError(`${at.href} is at none of BOOTS_CACHE_ORIGINS`);
    const response = await fetch(at, { headers, redirect: 'manual', signal });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    at = new URL(location, at);
  }
  throw new OriginError(`${url.href}: more than ${mostRedirects} redirects`);
}

/** Where its bytes belong; undefined: all are here already. */
function startOf(response: Response, have: number): number | undefined {
  const { status, headers, url } = response;
  if (status === 200) return 0;
  const range = headers.get('content-range') ?? '';
  if (status === 206 && range.startsWith(`bytes ${have}-`)) return have;
  if (status === 416 && range === `bytes */${have}`) return undefined;
  throw new OriginError(`${url} answered ${status}${range === '' ? '' : ` (${range})`}`);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function hashOf(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash;
}

/** What fetch throws: a TypeError whose cause tells; or the end of a connection. */
function isOfNetwork(error: unknown): boolean {
  return error instanceof TypeError || (error as NodeJS.ErrnoException).code?.startsWith('UND_') === true;
}

function told(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
