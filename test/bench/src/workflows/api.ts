import { Agent, request } from 'node:http';

const sockets = 32;

/** The HTTP API of one tink-server, over connections that stay open. */
export class Api {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: sockets });

  constructor(private readonly port: number) {}

  /** Throws for an answer that is not 2xx. */
  post<T>(path: string, body: object): Promise<T> {
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const { agent, port } = this;
    return new Promise((resolve, reject) => {
      const sent = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers });
      sent.once('error', (error: NodeJS.ErrnoException) => {
        // The server closed the idle connection just when it was to be used again: it has not seen the request.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(this.post<T>(path, body));
        else reject(error);
      });
      sent.once('response', (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (part: string) => (answer += part));
        response.once('error', reject).once('end', () => {
          const { statusCode = 0 } = response;
          if (statusCode >= 200 && statusCode < 300) resolve(JSON.parse(answer) as T);
          else reject(new Error(`${path}: ${statusCode} ${answer}`));
        });
      });
      sent.end(text);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
