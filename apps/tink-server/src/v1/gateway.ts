import { InvalidError } from '@tinkerbell/domain';

/** What the originals' gateway answers to a write. */
export function done(msg: string, id: string): unknown {
  return { status: 'ok', msg, id };
}

/** A text field of a request body, which must be there. */
export function textField(body: unknown, field: string): string {
  const value = optionalText(body, field);
  if (value === undefined || value === '') throw new InvalidError(field, `${field} is missing`);
  return value;
}

export function optionalText(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidError('', 'the body must be a JSON object');
  }
  const value = (body as Readonly<Record<string, unknown>>)[field];
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw new InvalidError(field, `${field} must be a string, got ${Array.isArray(value) ? 'a list' : typeof value}`);
}
