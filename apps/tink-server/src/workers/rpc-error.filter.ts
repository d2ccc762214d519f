import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { NatsContext } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import { describeError, internalError } from '../http/error-body';
import { ServerLogger } from '../log';

/** A refused RPC is answered with `{err:{code, message}}`; the codes are those of the HTTP API. */
@Catch()
export class RpcErrorFilter implements ExceptionFilter {
  private readonly logger = new ServerLogger('worker');

  catch(error: unknown, host: ArgumentsHost): Observable<never> {
    const subject = host.switchToRpc().getContext<NatsContext>().getSubject();
    const described = describeError(error)?.body.error;
    if (described) this.logger.debug(`${subject}: ${described.code} ${described.message}`);
    else this.logger.error(`${subject} failed`, error instanceof Error ? error.stack : String(error));
    const { code, message } = described ?? internalError.error;
    return throwError(() => ({ code, message }));
  }
}
