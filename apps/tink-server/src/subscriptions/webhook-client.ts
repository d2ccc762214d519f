import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { ceHeaders, type CloudEvent } from '@tinkerbell/public-events';
import { parseRetryAfter } from './back-off';
import { webhookSignature } from './webhook-signature';
import { type AddressTest, ForbiddenTargetError, guardedLookup, hostOf } from './webhook-target';

/** What became of one request. `status` is null when there was no answer. */
export interface Posted {
  readonly ok: boolean;
  readonly status: number | null;
  /** For people: `answered 503`, `connect ECONNREFUSED …`. */
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** Sends one event to a webhook. Type and injection token in one. */
export abstract class WebhookSender {
  abstract post(url: string, secret: string, event: CloudEvent, signal: AbortSignal): Promise<Posted>;
}

export interface WebhookClientOptions {
  readonly may: AddressTest;
  /** For the whole exchange. */
  readonly timeoutMs?: number;
  readonly now?: () => number;
  readonly lookup?: LookupFunction;
}

/** What a receiver says beside its status is not read beyond this. */
const maxBodyBytes = 65_536;

/** HTTP POST with CloudEvents headers (binary mode) and a signature after Standard Webhooks. Follows no redirect. */
export class WebhookClient extends WebhookSender {
  readonly #may: AddressTest;
  readonly #lookup: LookupFunction;
  readonly #timeoutMs: number;
  readonly #now: () => number;

  constructor({ may, timeoutMs = 10_000, now = Date.now, lookup = guardedLookup(may) }: WebhookClientOptions) {
    super();
    this.#may = may;
    this.#lookup = lookup;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  async post(text: string, secret: string, event: CloudEvent, signal: AbortSignal): Promise<Posted> {
    const late = AbortSignal.timeout(this.#timeoutMs);
    try {
      const url = new URL(text);
      const host = hostOf(url);
      if (isIP(host) !== 0 && !this.#may(host)) throw new ForbiddenTargetError(host, host);
      const response = await this.#send(url, secret, event, AbortSignal.any([signal, late]));
      const { statusCode: status = 0, headers } = response;
      await drain(response);
      const ok = status >= 200 && status < 300;
      const retryAfterMs = parseRetryAfter(headers['retry-after'], this.#now());
      return { ok, status, reason: `answered ${status}`, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    } catch (error) {
      const reason = late.aborted ? `no answer within ${this.#timeoutMs / 1000} s` : reasonOf(error);
      return { ok: false, status: null, reason };
    }
  }

  #send(url: URL, secret: string, event: CloudEvent, signal: AbortSignal): Promise<IncomingMessage> {
    const body = JSON.stringify(event.data);
    const timestamp = Math.floor(this.#now() / 1000);
    const options: RequestOptions = {
      method: 'POST',
      agent: false,
      signal,
      lookup: this.#lookup,
      headers: {
        ...ceHeaders(event),
        'content-length': Buffer.byteLength(body),
        'user-agent': 'tinkerbell-webhooks',
        'webhook-id': event.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': webhookSignature(secret, event.id, timestamp, body),
      },
    };
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, resolve);
      request.once('error', reject);
      request.end(body);
    });
  }
}

/** The status has been decided: a body that is long or breaks off changes nothing. */
async function drain(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      if (bytes > maxBodyBytes) break;
    }
  } catch {
    return;
  } finally {
    response.destroy();
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node tries several addresses of a name and puts what went wrong with each into one error without a text.
  const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  return first instanceof Error ? first.message : error.message;
}
