import { status } from '@grpc/grpc-js';
import {
  ConflictError,
  DomainError,
  ForbiddenError,
  IllegalTransitionError,
  InvalidError,
  NotFoundError,
  NotYetError,
} from '@tinkerbell/domain';
import { CommitTooLargeError, StoreUnavailableError } from '@tinkerbell/event-store';
import { BusUnavailableError } from '@tinkerbell/messaging';
import { RequestError, TooLargeError } from '../http/http-errors';
import { MalformedJsonError } from '../http/json-text';

/** An error that has a gRPC status of its own. */
export class GrpcStatusError extends Error {
  constructor(
    readonly status: status,
    message: string,
  ) {
    super(message);
  }
}

/** What grpc-js sends for an error; undefined for a bug, of which the caller learns nothing but that. */
export function grpcStatus(error: unknown): { readonly code: status; readonly details: string } | undefined {
  const code = codeOf(error);
  return code === undefined || !(error instanceof Error) ? undefined : { code, details: error.message };
}

function codeOf(error: unknown): status | undefined {
  if (error instanceof GrpcStatusError) return error.status;
  if (error instanceof NotFoundError) return status.NOT_FOUND;
  if (error instanceof InvalidError || error instanceof MalformedJsonError) return status.INVALID_ARGUMENT;
  if (error instanceof ConflictError) return status.ALREADY_EXISTS;
  if (error instanceof IllegalTransitionError) return status.FAILED_PRECONDITION;
  if (error instanceof NotYetError) return status.ABORTED;
  if (error instanceof ForbiddenError) return status.PERMISSION_DENIED;
  if (error instanceof DomainError) return status.INVALID_ARGUMENT;
  if (error instanceof TooLargeError || error instanceof CommitTooLargeError) return status.RESOURCE_EXHAUSTED;
  if (error instanceof RequestError) return status.UNAVAILABLE;
  // What the originals answer when their storage fails; their clients try again.
  if (error instanceof StoreUnavailableError || error instanceof BusUnavailableError) return status.ABORTED;
  return undefined;
}
