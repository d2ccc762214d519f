/** A rule said no. `code` is the API, `message` is for people, `field` names the faulty input when there is one. */
export abstract class DomainError extends Error {
  abstract readonly code: string;
  readonly field?: string;
  override get name(): string {
    return this.constructor.name;
  }
}

export class IllegalTransitionError extends DomainError {
  readonly code = 'ILLEGAL_TRANSITION';
  constructor(
    readonly command: string,
    readonly state: string,
  ) {
    super(`${command} is not allowed while ${state}`);
  }
}

/** What it rests on is still on its way into the log: the same command may be accepted a moment later. */
export class NotYetError extends DomainError {
  readonly code = 'NOT_YET';
  constructor(
    readonly command: string,
    readonly missing: string,
  ) {
    super(`${command} has to wait: ${missing}`);
  }
}

export class NotFoundError extends DomainError {
  readonly code = 'NOT_FOUND';
  constructor(
    readonly kind: string,
    readonly id: string,
    message = id === '' ? `${kind} not found` : `${kind} ${id} not found`,
  ) {
    super(message);
  }
}

export class ConflictError extends DomainError {
  readonly code = 'CONFLICT';
  constructor(
    message: string,
    override readonly field?: string,
  ) {
    super(message);
  }
}

export class InvalidError extends DomainError {
  readonly code = 'INVALID';
  constructor(
    override readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

/** One thing wrong with a document. `path` is a JSON path without the root, e.g. `network.interfaces[0].dhcp.mac`; '' = all of it. */
export interface Fault {
  readonly path: string;
  readonly message: string;
  /** Place in the text, both from 1, when the document came as text. */
  readonly line?: number;
  readonly column?: number;
}

/** A document with faults, all of them reported together. `field` is the path of the first. */
export class InvalidDocumentError extends InvalidError {
  constructor(
    readonly kind: string,
    readonly faults: readonly Fault[],
    message = faults.map(faultText).join('; ') || `invalid ${kind}`,
  ) {
    super(faults[0]?.path ?? '', message);
  }
}

/** `path: message (line 3, column 5)`, without the parts that are unknown. */
export function faultText({ path, message, line, column }: Fault): string {
  const place = line === undefined ? '' : ` (line ${line}${column === undefined ? '' : `, column ${column}`})`;
  return `${path === '' ? '' : `${path}: `}${message}${place}`;
}

/** The caller is not who may do this. */
export class ForbiddenError extends DomainError {
  readonly code = 'FORBIDDEN';
}

/** The time of a boot script's token is over. It gets no other one but by booting anew, which is worth its while after so many seconds. */
export class TokenExpiredError extends DomainError {
  readonly code = 'TOKEN_EXPIRED';
  constructor(
    expiresAt: string,
    readonly bootAgainSeconds: number,
  ) {
    super(`the enrolment token expired at ${expiresAt}`);
  }
}
