import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Logger } from '../logger';
import type { FailedRequests } from '../recorder/failed-requests';
import { type Callers, plainAddress } from '../callers';
import { answer, describeError, internalError } from './describe-error';
import { ScriptRefusedError } from '../ipxe/script-desk';
import { OwnDiskError } from '../loaders/loader-files';
import { isOptional } from '../loaders/loader-path';
import { type HttpRequest, type HttpResponse, peerOf } from './http-message';

@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(
    private readonly log: Logger,
    private readonly callers: Pick<Callers, 'who'>,
    private readonly failed: Pick<FailedRequests, 'note'>,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    const fromNest =
      error instanceof HttpException
        ? answer(error.getStatus(), `HTTP_${error.getStatus()}`, error.message)
        : undefined;
    const described = fromNest ?? describeError(error) ?? internalError;
    const line = `${request.method ?? ''} ${pathOf(request)}: ${error instanceof Error ? error.message : String(error)}`;
    if (described === internalError) this.log.error(line);
    else this.log.debug(line);
    if (request.method === 'GET' || request.method === 'HEAD') this.#note(request, described.status, error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.statusCode = described.status;
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    for (const name of ['Content-Length', 'ETag', 'Last-Modified', 'Accept-Ranges', 'Content-Range'])
      response.removeHeader(name);
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(described.body));
  }

  #note(request: HttpRequest, status: number, error: unknown): void {
    const isTold = error instanceof ScriptRefusedError || error instanceof OwnDiskError;
    if (isTold || (status === 404 && isOptional(pathOf(request)))) return;
    const source = plainAddress(peerOf(request));
    const mac = this.callers.who(source)?.mac;
    const reason = status === 404 ? 'no-such-file' : status < 500 ? 'refused' : 'error';
    const detail = `${request.method ?? ''} ${pathOf(request)}: ${error instanceof Error ? error.message : String(error)}`;
    this.failed.note({ protocol: 'http', reason, detail, source, ...(mac && { mac }) });
  }
}

/** Without the query: it may carry the ticket of a boot. */
function pathOf({ url = '' }: HttpRequest): string {
  return url.split('?')[0] ?? '';
}
