import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Recorded } from '@tinkerbell/events';

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}

/** An answer: its status and its body; a list of lines is NDJSON, a function decides by the request. */
export type Answer =
  | { readonly status?: number; readonly json: unknown }
  | { readonly lines: readonly unknown[]; readonly follow?: true }
  | { readonly text: string; readonly status?: number };

/**
 * Speaks the contract of tink-server's /api over real HTTP: what it answers is set by the spec, what it was asked is kept. Rules are
 * the real server's business; tink-cli.int.spec.ts runs against that one.
 */
export class FakeTinkServer {
  readonly asked: Asked[] = [];
  private readonly answers = new Map<string, Answer | ((request: Asked) => Answer)>();
  private readonly followers = new Set<ServerResponse>();
  private readonly server = createServer((request, response) => void this.handle(request, response));

  /** `GET /api/hardware` … ; the query plays no part. */
  on(route: string, answer: Answer | ((request: Asked) => Answer)): this {
    this.answers.set(route, answer);
    return this;
  }

  events(events: readonly Recorded[], follow?: true): this {
    return this.on('GET /api/events', follow ? { lines: events, follow } : { lines: events });
  }

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this.url;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** One more line for everybody who follows. */
  tell(line: unknown): void {
    for (const follower of this.followers) follower.write(`${JSON.stringify(line)}\n`);
  }

  /** Ends every followed answer as a server does that is stopped. */
  hangUp(): void {
    for (const follower of this.followers) follower.destroy();
  }

  endFollowed(): void {
    for (const follower of this.followers) follower.end();
  }

  get following(): number {
    return this.followers.size;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method = '', url = '', headers } = request;
    const asked: Asked = { method, url, headers, body: parsed(text) };
    this.asked.push(asked);
    const route = this.answers.get(`${method} ${url.split('?')[0]}`);
    const answer = typeof route === 'function' ? route(asked) : route;
    if (!answer) {
      send(
        response,
        404,
        JSON.stringify({
          error: { code: 'NOT_FOUND', message: `${url.split('?')[0]?.split('/').slice(-2).join(' ')} not found` },
        }),
      );
    } else if ('json' in answer) send(response, answer.status ?? 200, JSON.stringify(answer.json));
    else if ('text' in answer) send(response, answer.status ?? 200, answer.text);
    else this.stream(response, answer);
  }

  private stream(
    response: ServerResponse,
    { lines, follow }: Extract<Answer, { readonly lines: readonly unknown[] }>,
  ): void {
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
    if (!follow) return void response.end();
    response.flushHeaders();
    this.followers.add(response);
    response.once('close', () => this.followers.delete(response));
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(text);
}

/** The body of an error answer. */
export function refusal(status: number, code: string, message: string, more: object = {}): Answer {
  return { status, json: { error: { code, message, ...more } } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === '' ? undefined : text;
  }
}
