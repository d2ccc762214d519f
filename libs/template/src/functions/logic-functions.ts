import { FunctionError, isList, isMap, isTrue, typeName, type Value } from '../go-template/values';
import { fn, withRest, type TemplateFunction } from './function';

/** Sprig's defaults and questions about types. */
export const logicFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['default', withRest(['any'], 'any', ([otherwise], [given = null]) => (isEmpty(given) ? otherwise : given))],
  ['empty', fn(['any'], isEmpty)],
  ['coalesce', withRest([], 'any', (_none, values) => values.find((value) => !isEmpty(value)) ?? null)],
  ['all', withRest([], 'any', (_none, values) => !values.some(isEmpty))],
  ['any', withRest([], 'any', (_none, values) => values.some((value) => !isEmpty(value)))],
  ['ternary', fn(['any', 'any', 'bool'], (yes, no, which) => (which ? yes : no))],
  ['typeOf', fn(['any'], typeName)],
  ['typeIs', fn(['string', 'any'], (type, value) => type === typeName(value))],
  ['typeIsLike', fn(['string', 'any'], (type, value) => type === typeName(value))],
  ['kindOf', fn(['any'], kindOf)],
  ['kindIs', fn(['string', 'any'], (kind, value) => kind === kindOf(value))],
  ['deepEqual', fn(['any', 'any'], sameValue)],
  ['fail', fn(['string'], fail)],
  ['hello', { min: 0, max: 0, call: () => 'Hello!' }],
];

export function isEmpty(value: Value): boolean {
  return !isTrue(value);
}

function kindOf(value: Value): string {
  if (value === null) return 'invalid';
  return isList(value) ? 'slice' : isMap(value) ? 'map' : typeName(value);
}

/** reflect.DeepEqual: 1 and 1.0 are not the same. */
export function sameValue(a: Value, b: Value): boolean {
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i] ?? null));
  if (!isMap(a)) return a === b;
  if (!isMap(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key] ?? null, b[key] ?? null))
  );
}

function fail(message: string): Value {
  throw new FunctionError(message);
}
