import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Answer<T> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed JSON, undefined when it is none. */
  readonly body: T;
}

/** Shape of a failed request. */
export interface Failure {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly field?: string;
    readonly faults?: readonly { readonly path: string; readonly line?: number; readonly column?: number }[];
  };
}

export class RestClient {
  constructor(
    private readonly scheme: 'http' | 'https',
    private readonly port: number,
    private readonly ca: string,
    private readonly auth?: string,
    private readonly host = '127.0.0.1',
  ) {}

  get<T = unknown>(path: string): Promise<Answer<T>> {
    return this.send('GET', path);
  }
  delete<T = unknown>(path: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.send('DELETE', path, undefined, headers);
  }
  /** A string goes out as it is, everything else as JSON. */
  post<T = unknown>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.send('POST', path, body, headers);
  }
  put<T = unknown>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.send('PUT', path, body, headers);
  }

  /** Lines of an NDJSON answer as they come; leaving the loop closes the connection. */
  async *lines<T = unknown>(path: string): AsyncGenerator<T> {
    const response = await this.open('GET', path);
    try {
      let rest = '';
      response.setEncoding('utf8');
      for await (const chunk of response) {
        const parts = (rest + String(chunk)).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts) yield JSON.parse(line) as T;
      }
    } finally {
      response.destroy();
    }
  }

  private async send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await this.open(method, path, body, headers);
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) as T };
  }

  private open(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const options = {
      ...{
        host: this.host,
        port: this.port,
        method,
        path,
        ca: this.ca,
        servername: 'localhost',
        agent: false as const,
      },
      headers: {
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
        ...(this.auth ? { authorization: `Basic ${Buffer.from(this.auth).toString('base64')}` } : {}),
        ...headers,
      },
    };
    return new Promise((resolve, reject) => {
      const send = this.scheme === 'https' ? httpsRequest : httpRequest;
      const request = send(options, resolve);
      request.once('error', reject);
      request.end(payload);
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
