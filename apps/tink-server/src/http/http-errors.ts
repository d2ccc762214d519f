import type { Recorded } from '@tinkerbell/events';

/** Faults of a request that no rule of the domain is about. `code` is the API. */
export abstract class RequestError extends Error {
  abstract readonly status: number;
  abstract readonly code: string;
  readonly field?: string;
}

export class UnauthorizedError extends RequestError {
  readonly status = 401;
  readonly code = 'UNAUTHORIZED';
  constructor(given = false) {
    super(given ? 'user name or password is wrong' : 'user name and password needed (HTTP Basic)');
  }
}

/** Credentials would pass over the network in clear text. */
export class PlainHttpError extends RequestError {
  readonly status = 403;
  readonly code = 'FORBIDDEN';
  constructor(url: string) {
    super(`credentials do not travel over plain HTTP: use ${url} (or set TINK_HTTP_API=everywhere on the server)`);
  }
}

export class TooLargeError extends RequestError {
  readonly status = 413;
  readonly code = 'TOO_LARGE';
  constructor(
    readonly limit: number,
    what: string,
  ) {
    super(`${what} is larger than ${limit} bytes (${limit / 1_048_576} MiB), the limit`);
  }
}

export class NotUtf8Error extends RequestError {
  readonly status = 400;
  readonly code = 'MALFORMED';
  constructor() {
    super('body is not UTF-8');
  }
}

/** The read side did not reach the asked position in time. */
export class BehindError extends RequestError {
  readonly status = 503;
  readonly code = 'UNAVAILABLE';
  override readonly field = 'minSeq';
  constructor(
    readonly minSeq: number,
    applied: number,
  ) {
    super(`position ${minSeq} is not readable yet (at ${applied}): try again`);
  }
}

/** There is no such thing at the position that was asked for. `events`: what the log has about it, at any time. */
export class NotThenError extends RequestError {
  readonly status = 404;
  readonly code = 'NOT_FOUND';
  constructor(kind: string, id: string, position: number, events: readonly Recorded[]) {
    const [first] = events;
    const last = events.findLast((recorded) => recorded.position <= position);
    const why =
      first === undefined
        ? ''
        : last === undefined
          ? `: its first event is at ${first.position} (${first.at})`
          : `: it was deleted at ${last.position} (${last.at})`;
    super(`${kind} ${id} not found at position ${position}${why}`);
  }
}
