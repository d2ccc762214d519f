import { FunctionError, isList, isMap, sortedKeys, type Value } from '../go-template/values';
import { fn, type TemplateFunction } from './function';

/** Sprig's JSON, which is that of Go's encoding/json: sorted keys, numbers are float64 when read. */
export const jsonFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ...['toJson', 'mustToJson'].map((name) => [name, fn(['any'], (value) => escapeHtml(jsonOf(value)))] as const),
  ...['toRawJson', 'mustToRawJson'].map((name) => [name, fn(['any'], (value) => jsonOf(value))] as const),
  ...['toPrettyJson', 'mustToPrettyJson'].map(
    (name) => [name, fn(['any'], (value) => escapeHtml(jsonOf(value, '\n')))] as const,
  ),
  ['fromJson', fn(['string'], (text) => readJson(text) ?? null)],
  ['mustFromJson', fn(['string'], mustReadJson)],
];

/** `line`: a line break and what every line begins with; absent: all of it in one line. */
function jsonOf(value: Value, line?: string): string {
  if (isList(value)) return enclosed('[', ']', value, line, (item, inner) => jsonOf(item, inner));
  if (isMap(value)) {
    const colon = line === undefined ? ':' : ': ';
    return enclosed('{', '}', sortedKeys(value), line, (key, inner) => {
      return `${textJson(key)}${colon}${jsonOf(value[key] ?? null, inner)}`;
    });
  }
  if (typeof value === 'string') return textJson(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new FunctionError(`json: unsupported value: ${value}`);
  return String(value);
}

function enclosed<T>(
  open: string,
  close: string,
  items: readonly T[],
  line: string | undefined,
  show: (item: T, line: string | undefined) => string,
): string {
  if (items.length === 0) return open + close;
  const inner = line === undefined ? undefined : `${line}  `;
  return `${open}${inner ?? ''}${items.map((item) => show(item, inner)).join(`,${inner ?? ''}`)}${line ?? ''}${close}`;
}

function textJson(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, escaped);
}

function escapeHtml(json: string): string {
  return json.replace(/[<>&]/g, escaped);
}

function escaped(c: string): string {
  return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Numbers stay float64, as in Go. */
export function jsonValue(data: unknown): Value {
  switch (typeof data) {
    case 'string':
    case 'boolean':
      return data;
    case 'number':
      if (!Number.isFinite(data)) throw new FunctionError(`json: unsupported value: ${data}`);
      return data;
    case 'bigint':
      return Number(data);
    default:
      if (typeof data !== 'object' || data === null) return null;
      if (Array.isArray(data)) return data.map(jsonValue);
      return Object.fromEntries(Object.entries(data).map(([key, item]) => [key, jsonValue(item)]));
  }
}

function readJson(text: string): Value | undefined {
  try {
    return jsonValue(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function mustReadJson(text: string): Value {
  const value = readJson(text);
  if (value === undefined) throw new FunctionError('it is not JSON');
  return value;
}
