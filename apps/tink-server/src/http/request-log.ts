import { pathOf, peerAddress, type HttpRequest, type HttpResponse } from './http-message';
import { ServerLogger } from '../log';

const logger = new ServerLogger('http');

/** One line a request at debug level. Without the query and the headers: they may hold secrets. */
export function requestLog(request: HttpRequest, response: HttpResponse, next: () => void): void {
  const start = process.hrtime.bigint();
  response.once('close', () => {
    const milliseconds = Number((process.hrtime.bigint() - start) / 1_000_000n);
    const status = response.writableFinished ? String(response.statusCode) : 'aborted';
    logger.debug(`${request.method} ${pathOf(request)} ${status} ${milliseconds} ms ${peerAddress(request)}`);
  });
  next();
}
