import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Callers } from '../callers';
import type { Metrics } from '../metrics';
import { answer } from './describe-error';
import type { HttpRequest, HttpResponse } from './http-message';

export interface Limits {
  /** Connections at once. */
  readonly total: number;
  /** Of one client. */
  readonly each: number;
  /** Neither end said or took a byte for so long: the machine is gone. */
  readonly idleMs: number;
}

/** Connections beyond the limits that are told so; further ones are closed without a word. */
const mostSurplus = 256;
const surplusMs = 5000;
const retrySeconds = 10;

/** Whoever comes when there is no room is told so by a 503; those who are served go on undisturbed. */
export class ConnectionLimits {
  readonly #byClient = new Map<string, number>();
  readonly #surplus = new WeakMap<Socket, string>();
  #served = 0;

  constructor(
    private readonly limits: Limits,
    private readonly callers: Pick<Callers, 'clientAt'>,
    private readonly metrics: Metrics,
  ) {}

  watch(server: Server): void {
    const { total, idleMs } = this.limits;
    server.maxConnections = total + mostSurplus;
    server.setTimeout(idleMs);
    server.on('connection', (socket) => this.#take(socket));
  }

  /** Middleware: answers what is too much. */
  readonly refuse = (request: HttpRequest, response: HttpResponse, next: () => void): void => {
    const why = this.#surplus.get(request.socket);
    if (why === undefined) return next();
    response.statusCode = 503;
    response.setHeader('Retry-After', retrySeconds);
    response.setHeader('Connection', 'close');
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(answer(503, 'BUSY', why).body));
  };

  #take(socket: Socket): void {
    const { total, each } = this.limits;
    const client = this.callers.clientAt(socket.remoteAddress ?? '');
    const ofClient = this.#byClient.get(client) ?? 0;
    const why =
      this.#served >= total
        ? `${total} connections are open, the limit (BOOTS_HTTP_MAX_CONNECTIONS)`
        : ofClient >= each
          ? `${each} connections of ${client} are open, the limit of one client (BOOTS_HTTP_MAX_PER_CLIENT)`
          : undefined;
    if (why !== undefined) {
      this.#surplus.set(socket, why);
      socket.setTimeout(surplusMs);
      this.metrics.count('http_refused_total', { reason: this.#served >= total ? 'total' : 'client' });
      return;
    }
    this.#served++;
    this.#byClient.set(client, ofClient + 1);
    socket.once('close', () => {
      this.#served--;
      const left = (this.#byClient.get(client) ?? 1) - 1;
      if (left === 0) this.#byClient.delete(client);
      else this.#byClient.set(client, left);
    });
  }
}
