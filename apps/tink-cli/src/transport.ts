import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { ApiError, apiError } from './api-errors';
import { answerError, connectionError, isBroken } from './connection-error';
import type { Settings } from './settings';

export interface Query {
  readonly [name: string]: string | number | undefined;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** JSON as somebody wrote it, sent as it is: the server says where it is wrong, and no number is rounded on the way. */
  readonly text?: string;
  /** The same key twice is done once. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal | undefined;
  /** The answer goes on as long as we want, and may not even begin before there is something to say. */
  readonly follow?: true;
  /** Called when the connection stands, long before a followed answer may begin. */
  readonly onConnect?: (() => void) | undefined;
}

/** How long the server may take to begin its answer, in milliseconds. */
const patience = 60_000;

/** HTTP to one server. node:http and node:https are loaded with the first request: `--help` needs neither. */
export class Transport {
  constructor(private readonly settings: Settings) {}

  /** Throws ApiError for an answer that is an error, UnreachableError for none. */
  async text(call: Call): Promise<string> {
    const response = await this.open(call);
    try {
      return await bodyOf(response);
    } catch (error) {
      throw answerError(error, this.settings);
    }
  }

  /** One parsed line of NDJSON after the other. Ends when the server ends the answer; throws UnreachableError when it breaks off. */
  async *lines(call: Call): AsyncGenerator<unknown> {
    const response = await this.open(call);
    let rest = '';
    try {
      response.setEncoding('utf8');
      for await (const chunk of response) {
        const parts = (rest + String(chunk)).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) if (part.trim() !== '') yield parseJson(part, call.path);
      }
    } catch (error) {
      throw error instanceof ApiError ? error : answerError(error, this.settings);
    } finally {
      response.destroy();
    }
    if (rest.trim() !== '') yield parseJson(rest, call.path);
  }

  /** The body as it comes. Throws UnreachableError when it breaks off. */
  async *bytes(call: Call): AsyncGenerator<Uint8Array> {
    const response = await this.open(call);
    try {
      yield* response as AsyncIterable<Buffer>;
    } catch (error) {
      throw answerError(error, this.settings);
    } finally {
      response.destroy();
    }
  }

  /** Sends the request; once more when the connection broke before an answer came. That is safe: writes carry an idempotency key. */
  private async open(call: Call): Promise<IncomingMessage> {
    let response: IncomingMessage;
    try {
      response = await this.send(call).catch((error: unknown) =>
        isBroken(error) ? this.send(call) : Promise.reject(error),
      );
    } catch (error) {
      throw connectionError(error, this.settings);
    }
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw apiError(status, await bodyOf(response), call.method === 'GET');
  }

  private async send(call: Call): Promise<IncomingMessage> {
    const url = urlOf(this.settings.server, call);
    const secure = url.protocol === 'https:';
    const { request } = secure ? await import('node:https') : await import('node:http');
    const text = call.text ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = request(url, this.optionsOf(call, secure, text), resolve);
      const late = () => sent.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
      const timer = setTimeout(late, patience);
      const inTime = () => clearTimeout(timer);
      sent.once('socket', (socket) => {
        socket.setKeepAlive(true, 15_000);
        socket.once(secure ? 'secureConnect' : 'connect', () => {
          if (call.follow) inTime();
          call.onConnect?.();
        });
      });
      sent.once('response', inTime).once('close', inTime);
      sent.once('error', reject);
      sent.end(text);
    });
  }

  private optionsOf(call: Call, secure: boolean, text: string | undefined): RequestOptions {
    const { username, password, ca } = this.settings;
    return {
      method: call.method,
      agent: false,
      headers: {
        Accept: 'application/json, application/x-ndjson',
        'User-Agent': 'tink',
        ...(text === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
        ...(call.idempotencyKey === undefined ? {} : { 'Idempotency-Key': call.idempotencyKey }),
        ...(username === ''
          ? {}
          : { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }),
      },
      ...(call.signal ? { signal: call.signal } : {}),
      ...(secure && ca ? { ca: ca.pem } : {}),
    };
  }
}

export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(
      502,
      'NOT_JSON',
      `${path} did not answer with JSON but with ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
}

function urlOf(server: URL, { path, query = {} }: Call): URL {
  const url = new URL(server);
  url.pathname = `${server.pathname.replace(/\/+$/, '')}${path}`;
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  return url;
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}
