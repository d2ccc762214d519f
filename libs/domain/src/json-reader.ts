import { parseIp } from '@tinkerbell/bytes';
import type { Fault } from './errors';

type Fields = Readonly<Record<string, unknown>>;

/** Reads an untrusted JSON value, collecting one fault per thing that is wrong, each with its path. Absent and null are the same. */
export class JsonReader {
  private readonly found: Fault[] = [];

  get faults(): readonly Fault[] {
    return this.found;
  }

  fault(path: string, message: string): void {
    this.found.push({ path, message });
  }

  /** An object without other keys than these; {} when absent. */
  object(value: unknown, path: string, keys: readonly string[]): Fields {
    if (value === undefined || value === null) return {};
    if (!isObject(value)) {
      this.fault(path, `must be an object, got ${kindOf(value)}`);
      return {};
    }
    for (const key of Object.keys(value)) {
      if (!keys.includes(key)) this.fault(join(path, key), `unknown key; known are ${keys.join(', ')}`);
    }
    return value;
  }

  list(value: unknown, path: string, max: number): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      this.fault(path, `must be a list, got ${kindOf(value)}`);
      return [];
    }
    if (value.length > max) {
      this.fault(path, `has ${value.length} items, more than ${max}`);
      return [];
    }
    return value;
  }

  /** One line of text, unless `multiline`. `max` in UTF-16 units. */
  text(value: unknown, path: string, options: { readonly max?: number; readonly multiline?: boolean } = {}): string {
    if (value === undefined || value === null) return '';
    const { max = 255, multiline = false } = options;
    if (typeof value !== 'string') {
      this.fault(path, `must be a string, got ${kindOf(value)}`);
      return '';
    }
    if (value.length > max) {
      this.fault(path, `is ${value.length} characters long, more than ${max}`);
      return '';
    }
    const control = multiline ? /[\0]/ : /[\0-\x1f\x7f]/;
    if (control.test(value)) {
      this.fault(path, 'contains a control character');
      return '';
    }
    return value;
  }

  /** Text of a form. Empty is allowed. */
  form(value: unknown, path: string, form: RegExp, what: string, max = 255): string {
    const text = this.text(value, path, { max });
    if (text === '' || form.test(text)) return text;
    this.fault(path, `${JSON.stringify(text)} is not ${what}`);
    return '';
  }

  boolean(value: unknown, path: string): boolean {
    if (value === undefined || value === null) return false;
    if (typeof value === 'boolean') return value;
    const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : kindOf(value);
    this.fault(path, `must be true or false, got ${got}`);
    return false;
  }

  /** A whole number; a string of digits too, which is how proto3 JSON writes an int64. undefined when absent or faulty. */
  integer(value: unknown, path: string, min: number, max: number): number | undefined {
    if (value === undefined || value === null || value === '') return undefined;
    const number = typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number)) {
      this.fault(path, `must be a whole number, got ${JSON.stringify(value) ?? kindOf(value)}`);
      return undefined;
    }
    if (number < min || number > max) {
      this.fault(path, `must be ${min} to ${max}, got ${number}`);
      return undefined;
    }
    return number;
  }

  /** An IP address in its canonical spelling; undefined when absent or faulty. */
  ip(value: unknown, path: string): { readonly address: string; readonly family: 4 | 6 } | undefined {
    const text = this.text(value, path);
    if (text === '') return undefined;
    const ip = parseIp(text);
    if (ip === undefined) this.fault(path, `${JSON.stringify(text)} is not an IP address`);
    return ip;
  }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
