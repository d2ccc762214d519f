import { many, type TemplateFunction, type TemplateFunctions } from '../functions/function';
import { sprint, sprintf, textOf } from './format';
import { byBytes, entryOf, FunctionError, isList, isMap, isTrue, typeName, type Value } from './values';

/** What Go's text/template brings along, without `call`: a template's data holds no functions. */
export const goFunctions: TemplateFunctions = new Map<string, TemplateFunction>([
  ['and', { min: 1, max: many, call: (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1) ?? null }],
  ['or', { min: 1, max: many, call: (args) => args.find(isTrue) ?? args.at(-1) ?? null }],
  ['not', { min: 1, max: 1, call: ([arg = null]) => !isTrue(arg) }],
  ['eq', { min: 1, max: many, call: ([first = null, ...rest]) => equals(first, rest) }],
  ['ne', { min: 2, max: 2, call: ([a = null, b = null]) => !equals(a, [b]) }],
  ['lt', { min: 2, max: 2, call: ([a = null, b = null]) => compare(a, b) < 0 }],
  ['le', { min: 2, max: 2, call: ([a = null, b = null]) => compare(a, b) <= 0 }],
  ['gt', { min: 2, max: 2, call: ([a = null, b = null]) => compare(a, b) > 0 }],
  ['ge', { min: 2, max: 2, call: ([a = null, b = null]) => compare(a, b) >= 0 }],
  ['len', { min: 1, max: 1, call: ([arg = null]) => length(arg) }],
  ['index', { min: 1, max: many, call: ([item = null, ...indexes]) => indexes.reduce(index, notNil(item, 'index')) }],
  ['slice', { min: 1, max: many, call: ([item = null, ...bounds]) => slice(notNil(item, 'slice'), bounds) }],
  ['print', { min: 0, max: many, call: sprint }],
  ['println', { min: 0, max: many, call: (args) => `${args.map(textOf).join(' ')}\n` }],
  [
    'printf',
    {
      min: 1,
      max: many,
      takes: ['string', 'any'],
      call: ([format, ...args]) => sprintf(typeof format === 'string' ? format : '', args),
    },
  ],
  ['html', { min: 0, max: many, call: (args) => escapeWith(shown(args), /[\0"'&<>]/g, htmlEscapes) }],
  ['js', { min: 0, max: many, call: (args) => shown(args).replace(/[\\'"<>&=\0-\x1f]/g, jsEscape) }],
  ['urlquery', { min: 0, max: many, call: (args) => urlQuery(shown(args)) }],
]);

const htmlEscapes: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

/** The escaping functions show nil as a template's own output does. */
function shown(args: readonly Value[]): string {
  return sprint(args.map((arg) => arg ?? '<no value>'));
}

function escapeWith(text: string, form: RegExp, table: Readonly<Record<string, string>>): string {
  return text.replace(form, (c) => table[c] ?? c);
}

function jsEscape(c: string): string {
  if (c === '\\' || c === "'" || c === '"') return `\\${c}`;
  return `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function urlQuery(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function equals(first: Value, rest: readonly Value[]): boolean {
  if (rest.length === 0) throw new FunctionError('missing argument for comparison');
  for (const other of rest) {
    if (first === null || other === null) {
      if (first === other) return true;
      continue;
    }
    const [a, b] = [typeName(first), typeName(other)];
    if (a !== b) throw new FunctionError(`incompatible types for comparison: ${a} and ${b}`);
    if (isList(first) || isMap(first)) throw new FunctionError(sprintf('non-comparable type %s: %s', [other, b]));
    if (first === other) return true;
  }
  return false;
}

/** Negative, zero or positive, for numbers of one type and for strings. */
function compare(a: Value, b: Value): number {
  for (const value of [a, b]) {
    if (value === null || isList(value) || isMap(value)) throw new FunctionError('invalid type for comparison');
  }
  const [left, right] = [typeName(a), typeName(b)];
  if (left !== right) throw new FunctionError(`incompatible types for comparison: ${left} and ${right}`);
  if (typeof a === 'string' && typeof b === 'string') return byBytes(a, b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : Number(a > b);
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : Number(a > b);
  throw new FunctionError('invalid type for comparison');
}

function length(value: Value): bigint {
  if (typeof value === 'string') return BigInt(new TextEncoder().encode(value).length);
  if (isList(value)) return BigInt(value.length);
  if (isMap(value)) return BigInt(Object.keys(value).length);
  throw new FunctionError(value === null ? 'len of nil pointer' : `len of type ${typeName(value)}`);
}

function notNil(item: Value, what: string): Value {
  if (item === null) throw new FunctionError(`${what} of untyped nil`);
  return item;
}

function index(item: Value, key: Value): Value {
  if (item === null) throw new FunctionError('index of nil pointer');
  if (isList(item)) return item[position(key, item.length, 'slice')] ?? null;
  if (typeof item === 'string') {
    const bytes = new TextEncoder().encode(item);
    return BigInt(bytes[position(key, bytes.length, 'string')] ?? 0);
  }
  if (!isMap(item)) throw new FunctionError(`can't index item of type ${typeName(item)}`);
  if (typeof key === 'string') return entryOf(item, key) ?? null;
  if (key === null) throw new FunctionError('value is nil; should be of type string');
  throw new FunctionError(`value has type ${typeName(key)}; should be string`);
}

/** An index below the length of what is indexed; without `of` a bound, which may be the length itself. */
function position(key: Value, size: number, of?: 'slice' | 'string'): number {
  if (key === null) throw new FunctionError('cannot index slice/array with nil');
  if (typeof key !== 'bigint') throw new FunctionError(`cannot index slice/array with type ${typeName(key)}`);
  if (key < 0n || key > BigInt(size)) throw new FunctionError(`index out of range: ${key}`);
  if (of && key === BigInt(size)) throw new FunctionError(`reflect: ${of} index out of range`);
  return Number(key);
}

function slice(item: Value, bounds: readonly Value[]): Value {
  const bytes = typeof item === 'string' ? new TextEncoder().encode(item) : undefined;
  if (bounds.length > 3) throw new FunctionError(`too many slice indexes: ${bounds.length}`);
  if (bytes && bounds.length === 3) throw new FunctionError('cannot 3-index slice a string');
  if (!bytes && !isList(item)) throw new FunctionError(`can't slice item of type ${typeName(item)}`);
  const size = bytes?.length ?? (isList(item) ? item.length : 0);
  const [from = 0, to = size, capacity = size] = bounds.map((bound) => position(bound, size));
  if (from > to) throw new FunctionError(`invalid slice index: ${from} > ${to}`);
  if (to > capacity) throw new FunctionError(`invalid slice index: ${to} > ${capacity}`);
  if (bytes) return new TextDecoder().decode(bytes.slice(from, to));
  return isList(item) ? item.slice(from, to) : null;
}
