import { DomainError } from '@tinkerbell/domain';
import { StoreUnavailableError } from '@tinkerbell/event-store';
import { OriginError } from '../files/download';
import { BusyError, TooLargeForCacheError } from '../files/image-cache';
import { UnsafeScriptValueError } from '@tinkerbell/ipxe';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: { readonly error: { readonly code: string; readonly message: string; readonly field?: string } };
}

/** More was sent than is taken. */
export class TooLargeError extends Error {
  /** `limit`: bytes. */
  constructor(what: string, limit: number) {
    super(`${what} is larger than ${limit} bytes (${limit / 1024} KiB), the limit`);
  }
}

const statuses: Readonly<Record<string, number>> = { NOT_FOUND: 404, FORBIDDEN: 403, CONFLICT: 409 };

/** undefined: a bug; the caller learns no more than that. */
export function describeError(error: unknown): ErrorAnswer | undefined {
  if (error instanceof DomainError) return answer(statuses[error.code] ?? 400, error.code, error.message, error.field);
  if (error instanceof TooLargeError) return answer(413, 'TOO_LARGE', error.message);
  if (error instanceof OriginError) return answer(502, 'ORIGIN', error.message);
  if (error instanceof BusyError) return answer(503, 'BUSY', error.message);
  if (error instanceof TooLargeForCacheError) return answer(507, 'CACHE_TOO_SMALL', error.message);
  if (error instanceof UnsafeScriptValueError) return answer(409, 'UNSAFE_SCRIPT_VALUE', error.message, error.field);
  if (error instanceof StoreUnavailableError) return answer(503, 'UNAVAILABLE', error.message);
  return undefined;
}

export const internalError: ErrorAnswer = answer(500, 'INTERNAL', 'internal error; see the log of boots');

export function answer(status: number, code: string, message: string, field?: string): ErrorAnswer {
  return { status, body: { error: { code, message, ...(field === undefined ? {} : { field }) } } };
}
