import { InvalidError } from '@tinkerbell/domain';
import type { ReadSide } from '../read-side';
import type { HttpRequest, HttpResponse } from './http-message';

/** Query parameters of one request. A parameter that is given twice is refused, as every other is that is not what it should be. */
export class Query {
  private readonly params: URLSearchParams;

  constructor(url: string) {
    const start = url.indexOf('?');
    this.params = new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
  }

  static of(request: HttpRequest): Query {
    return new Query(request.originalUrl);
  }

  text(name: string): string | undefined {
    const values = this.params.getAll(name);
    if (values.length > 1) throw new InvalidError(name, `${name} is given ${values.length} times`);
    return values[0];
  }

  whole(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidError(name, `${name} must be a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`);
  }

  flag(name: string): boolean {
    const text = this.text(name);
    if (text === undefined || text === '0' || text === 'false') return false;
    if (text === '' || text === '1' || text === 'true') return true;
    throw new InvalidError(name, `${name} must be 1 or 0, got ${JSON.stringify(text)}`);
  }

  /** Milliseconds since 1970 of an ISO 8601 time. */
  time(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(text) : NaN;
    if (!Number.isNaN(value)) return value;
    throw new InvalidError(name, `${name} must be an ISO 8601 time, got ${JSON.stringify(text)}`);
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = allowed.find((one) => one === text);
    if (value !== undefined) return value;
    throw new InvalidError(name, `${name} must be one of ${allowed.join(', ')}, got ${JSON.stringify(text)}`);
  }
}

/** Read your writes: a request with `?minSeq=` waits until that position of the log is readable. */
export function minSeq(reads: ReadSide) {
  return (request: HttpRequest, _response: HttpResponse, next: (error?: unknown) => void): void => {
    Promise.resolve()
      .then(() => reads.atLeast(Query.of(request).whole('minSeq', 0, Number.MAX_SAFE_INTEGER) ?? 0))
      .then(() => next(), next);
  };
}
