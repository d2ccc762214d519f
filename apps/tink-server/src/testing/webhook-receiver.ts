import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A webhook's receiver on loopback. `answer` decides for each request, counted from 0; undefined: it never answers. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  answer: (index: number, request: Received) => Answer | undefined = () => ({ status: 204 });

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        const { headers, url: path = '' } = request;
        const one = { headers, path, body: Buffer.concat(chunks).toString('utf8') };
        const answer = receiver.answer(receiver.received.push(one) - 1, one);
        if (answer) response.writeHead(answer.status, answer.headers).end('noted');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  /** `webhook-id` of each request, in the order in which they came. */
  get ids(): readonly string[] {
    return this.received.map(({ headers }) => String(headers['webhook-id']));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
