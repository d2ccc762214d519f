import {
  entryOf,
  FunctionError,
  isList,
  isMap,
  isTrue,
  sortedKeys,
  type Value,
  type ValueMap,
} from '../go-template/values';
import { fn, many, shownText, withRest, type TemplateFunction } from './function';

/** Sprig's functions of maps. `set`, `unset` and `merge` change the map that they are given, as in Go; a template's data is a copy. */
export const mapFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['dict', withRest([], 'any', (_none, items) => dict(items))],
  ['get', fn(['map', 'string'], (map, key) => entryOf(map, key) ?? (Object.hasOwn(map, key) ? null : ''))],
  ['set', fn(['map', 'string', 'any'], (map, key, value) => put(map, key, value))],
  ['unset', fn(['map', 'string'], unset)],
  ['hasKey', fn(['map', 'string'], (map, key) => Object.hasOwn(map, key))],
  ['pluck', withRest(['string'], 'map', ([key], maps) => maps.flatMap((map) => entryList(map, key)))],
  ['keys', withRest([], 'map', (_none, maps) => maps.flatMap((map) => [...sortedKeys(map)]))],
  ['values', fn(['map'], (map) => sortedKeys(map).map((key) => map[key] ?? null))],
  ['pick', withRest(['map'], 'string', ([map], keys) => filtered(map, (key) => keys.includes(key)))],
  ['omit', withRest(['map'], 'string', ([map], keys) => filtered(map, (key) => !keys.includes(key)))],
  ...['merge', 'mustMerge'].map((name) => [name, merging(false)] as const),
  ...['mergeOverwrite', 'mustMergeOverwrite'].map((name) => [name, merging(true)] as const),
  ['dig', { min: 3, max: many, call: dig }],
  ['deepCopy', fn(['any'], copyOf)],
  ['mustDeepCopy', fn(['any'], copyOf)],
];

function dict(items: readonly Value[]): ValueMap {
  const pairs = Array.from({ length: Math.ceil(items.length / 2) }, (_, i) => {
    const value = items[2 * i + 1];
    return [shownText(items[2 * i] ?? null), value === undefined ? '' : value] as const;
  });
  return Object.fromEntries(pairs);
}

/** As an own property, whatever the key is called. */
function put(map: ValueMap, key: string, value: Value): ValueMap {
  Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
  return map;
}

function unset(map: ValueMap, key: string): ValueMap {
  Reflect.deleteProperty(map, key);
  return map;
}

function entryList(map: ValueMap, key: string): readonly Value[] {
  return Object.hasOwn(map, key) ? [map[key] ?? null] : [];
}

function filtered(map: ValueMap, keep: (key: string) => boolean): ValueMap {
  return Object.fromEntries(Object.entries(map).filter(([key]) => keep(key)));
}

function merging(overwrites: boolean): TemplateFunction {
  return withRest(['map'], 'map', ([target], sources) => {
    for (const source of sources) merge(target, source, overwrites);
    return target;
  });
}

/** What is not there or empty is taken over; `overwrites`: everything is. Maps are merged into maps. */
function merge(target: ValueMap, source: ValueMap, overwrites: boolean): void {
  for (const [key, value] of Object.entries(source)) {
    const own = entryOf(target, key) ?? null;
    if (isMap(own) && isMap(value)) merge(own, value, overwrites);
    else if (overwrites || !isTrue(own)) put(target, key, value);
  }
}

/** `dig "a" "b" default map`. */
function dig(args: readonly Value[]): Value {
  const map = args.at(-1) ?? null;
  const otherwise = args.at(-2) ?? null;
  let at: Value = map;
  for (const key of args.slice(0, -2)) {
    if (typeof key !== 'string') throw new FunctionError(`dig: a key must be a string, got ${shownText(key)}`);
    if (!isMap(at)) throw new FunctionError(`dig: there is no map to find ${JSON.stringify(key)} in`);
    if (!Object.hasOwn(at, key)) return otherwise;
    at = at[key] ?? null;
  }
  return at;
}

function copyOf(value: Value): Value {
  if (isList(value)) return value.map(copyOf);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)])) : value;
}
