import { status } from '@grpc/grpc-js';
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import { grpcStatus } from './grpc-error';
import { ServerLogger } from '../log';

/** Every failed gRPC call ends with a status whose code and text say what was wrong. */
@Catch()
export class GrpcErrorFilter implements ExceptionFilter {
  private readonly logger = new ServerLogger('grpc');

  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    const known = grpcStatus(error);
    if (!known) this.logger.error('call failed', error instanceof Error ? error.stack : String(error));
    return throwError(() => known ?? { code: status.INTERNAL, details: 'internal error; see the log' });
  }
}
