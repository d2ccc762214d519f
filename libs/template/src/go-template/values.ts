/**
 * What a template computes with. Go's types and ours: int = bigint, float64 = number, string, bool, nil = null,
 * []interface{} = list, map[string]interface{} = record.
 */
export type Value = null | boolean | string | number | bigint | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [key: string]: Value;
}

/** A function refused its arguments. */
export class FunctionError extends Error {}

/**
 * Data as it comes from JSON → a value. Whole numbers become ints, as a person who wrote `"count": 3` expects; Go's JSON decoder would
 * make floats of them and print 4194304 as 4.194304e+06. What JSON cannot hold is nil.
 */
export function valueOf(data: unknown, depth = 0): Value {
  if (depth > maxDepth) throw new FunctionError(`data is nested deeper than ${maxDepth}`);
  switch (typeof data) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return data;
    case 'number':
      return Number.isSafeInteger(data) ? BigInt(data) : data;
    case 'object':
      if (data === null) return null;
      if (Array.isArray(data)) return data.map((item) => valueOf(item, depth + 1));
      return Object.fromEntries(Object.entries(data).map(([key, item]) => [key, valueOf(item, depth + 1)]));
    default:
      return null;
  }
}

const maxDepth = 100;

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is ValueMap {
  return typeof value === 'object' && value !== null && !isList(value);
}

/** Own entries only: a template cannot reach what JavaScript hangs on an object. */
export function entryOf(map: ValueMap, key: string): Value | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Keys in the order in which Go walks and prints a map. */
export function sortedKeys(map: ValueMap): readonly string[] {
  return Object.keys(map).sort(byBytes);
}

/** Order of UTF-8 bytes, which is that of code points and not that of UTF-16 units. */
export function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [Array.from(a), Array.from(b)];
  const at = left.findIndex((character, i) => character !== right[i]);
  if (at < 0) return -1;
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1);
}

export function isTrue(value: Value): boolean {
  if (typeof value === 'string' || isList(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Go's name of the value's type. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    default:
      return value === null ? '<nil>' : isList(value) ? '[]interface {}' : 'map[string]interface {}';
  }
}
