import { HttpException } from '@nestjs/common';
import {
  ConflictError,
  DomainError,
  ForbiddenError,
  IllegalTransitionError,
  InvalidDocumentError,
  NotFoundError,
  NotYetError,
  TokenExpiredError,
  type Fault,
} from '@tinkerbell/domain';
import { CommandIdReusedError, CommitTooLargeError, StoreUnavailableError } from '@tinkerbell/event-store';
import { BusUnavailableError } from '@tinkerbell/messaging';
import { RequestError } from './http-errors';
import { MalformedJsonError } from './json-text';

export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly field?: string;
    readonly faults?: readonly Fault[];
    /** TOKEN_EXPIRED: how long until the machine had better boot anew. */
    readonly bootAgainSeconds?: number;
  };
}

/** Status and body of the answer to a request that failed; undefined for a bug, of which the caller learns nothing but that. */
export function describeError(error: unknown): { readonly status: number; readonly body: ErrorBody } | undefined {
  if (error instanceof RequestError) return answer(error.status, error.code, error.message, error.field);
  if (error instanceof MalformedJsonError) {
    const { line, column, fault } = error;
    return answer(400, 'MALFORMED', error.message, undefined, [{ path: '', line, column, message: fault }]);
  }
  if (error instanceof InvalidDocumentError) {
    const status = error.kind === 'template' ? 422 : 400;
    return answer(status, error.code, error.message, error.field, error.faults);
  }
  if (error instanceof TokenExpiredError) {
    const { code, message, bootAgainSeconds } = error;
    return { status: 403, body: { error: { code, message, bootAgainSeconds } } };
  }
  if (error instanceof DomainError) return answer(statusOf(error), error.code, error.message, error.field);
  if (error instanceof CommitTooLargeError) return answer(413, 'TOO_LARGE', error.message);
  if (error instanceof CommandIdReusedError) return answer(409, 'CONFLICT', error.message, 'Idempotency-Key');
  if (error instanceof StoreUnavailableError || error instanceof BusUnavailableError) {
    return answer(503, 'UNAVAILABLE', error.message);
  }
  if (error instanceof HttpException) return answer(error.getStatus(), httpCode(error.getStatus()), error.message);
  return undefined;
}

export const internalError: ErrorBody = { error: { code: 'INTERNAL', message: 'internal error; see the log' } };

function answer(status: number, code: string, message: string, field?: string, faults?: readonly Fault[]) {
  const error = { code, message, ...(field ? { field } : {}), ...(faults ? { faults } : {}) };
  return { status, body: { error } };
}

function statusOf(error: DomainError): number {
  if (error instanceof NotFoundError) return 404;
  if (error instanceof ForbiddenError) return 403;
  if (error instanceof NotYetError) return 425;
  if (error instanceof ConflictError || error instanceof IllegalTransitionError) return 409;
  return 400;
}

function httpCode(status: number): string {
  return status === 404 ? 'NOT_FOUND' : status === 405 ? 'METHOD_NOT_ALLOWED' : 'BAD_REQUEST';
}
