import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { describeError, internalError } from './error-body';
import { pathOf, sendJson, type HttpRequest, type HttpResponse } from './http-message';
import { ServerLogger } from '../log';

/** Every failed HTTP request is answered in one shape: `{error:{code, message, field?, faults?}}`. */
@Catch()
export class HttpErrorFilter implements ExceptionFilter {
  private readonly logger = new ServerLogger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    const described = describeError(error);
    if (!described) this.logger.error(`${request.method} ${pathOf(request)} failed`, stackOf(error));
    sendJson(response, described?.status ?? 500, described?.body ?? internalError);
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
