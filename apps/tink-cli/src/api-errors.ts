/** Where in a document something is wrong; `line` and `column` from 1. */
export interface Fault {
  readonly path: string;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

/** The server answered, with an error. `code` is its API, e.g. `NOT_FOUND`. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
    readonly faults: readonly Fault[] = [],
    /** Of a question, which changes nothing. */
    readonly isOfQuestion = false,
  ) {
    super(message);
  }
}

/** No answer, or none that can be trusted. `hint` says what to do. */
export class UnreachableError extends Error {
  constructor(
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Reads `{error:{code, message, field?, faults?}}`; anything else becomes an error that shows its beginning. */
export function apiError(status: number, body: string, isOfQuestion = false): ApiError {
  const parsed = parseObject(body);
  const error = isObject(parsed?.['error']) ? parsed['error'] : undefined;
  if (error && typeof error['message'] === 'string') {
    const faults = Array.isArray(error['faults']) ? error['faults'].filter(isObject).map(faultOf) : [];
    const field = typeof error['field'] === 'string' ? error['field'] : undefined;
    return new ApiError(status, String(error['code'] ?? ''), error['message'], field, faults, isOfQuestion);
  }
  const message = typeof parsed?.['message'] === 'string' ? parsed['message'] : body.trim().slice(0, 200);
  return new ApiError(
    status,
    `HTTP_${status}`,
    message === '' ? `HTTP status ${status}` : `HTTP status ${status}: ${message}`,
  );
}

function faultOf(fault: Readonly<Record<string, unknown>>): Fault {
  const { path, message, line, column } = fault;
  return {
    path: typeof path === 'string' ? path : '',
    message: typeof message === 'string' ? message : 'invalid',
    ...(typeof line === 'number' ? { line } : {}),
    ...(typeof column === 'number' ? { column } : {}),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
