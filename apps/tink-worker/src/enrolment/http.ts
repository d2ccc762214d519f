import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface HttpCall {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body?: object;
  /** PEM; the only authority that is trusted. */
  readonly ca?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

const maxBodyBytes = 256 * 1024;

/** One HTTP request, without following redirects. Node's own fetch costs more than all of this at start. */
export function call({ url, method, body, ca, timeoutMs, signal }: HttpCall): Promise<HttpAnswer> {
  const content = body === undefined ? '' : JSON.stringify(body);
  const headers =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      const late = limit.aborted && !signal.aborted;
      reject(new Error(`${url}: ${late ? `no answer within ${timeoutMs / 1000} s` : error.message}`, { cause: error }));
    };
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(url, { method, headers, signal: limit, agent: false, ...(ca ? { ca } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBodyBytes) response.destroy(new Error(`the answer is longer than ${maxBodyBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
      response.on('error', failed);
    });
    request.on('error', failed);
    request.end(content);
  });
}
