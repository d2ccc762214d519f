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

export class NotFoundError extends DomainError {
  readonly code = 'NOT_FOUND';
  constructor(
    readonly kind: string,
    readonly id: string,
  ) {
    super(`${kind} ${id} not found`);
  }
}

export class ConflictError extends DomainError {
  readonly code = 'CONFLICT';
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

/** The caller is not who may do this. */
export class ForbiddenError extends DomainError {
  readonly code = 'FORBIDDEN';
}
