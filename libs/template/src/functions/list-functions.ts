import { byBytes, FunctionError, isList, isMap, typeName, type Value } from '../go-template/values';
import { fn, withRest, type TemplateFunction } from './function';
import { isEmpty, sameValue } from './logic-functions';
import { texts } from './text-functions';

type Named = readonly [string, TemplateFunction];

/** Sprig's functions of lists. Those with `must` in front say the same and fail the same way here. */
export const listFunctions: readonly Named[] = [
  ['list', withRest([], 'any', (_none, items) => items)],
  ['tuple', withRest([], 'any', (_none, items) => items)],
  ...both('first', (name) => fn(['any'], (list) => listOf(list, `find ${name} on`)[0] ?? null)),
  ...both('last', (name) => fn(['any'], (list) => listOf(list, `find ${name} on`).at(-1) ?? null)),
  ...both('rest', (name) => fn(['any'], (list) => listOf(list, `find ${name} on`).slice(1))),
  ...both('initial', (name) => fn(['any'], (list) => listOf(list, `find ${name} on`).slice(0, -1))),
  ...both('reverse', (name) => fn(['any'], (list) => listOf(list, `find ${name} on`).toReversed())),
  ...both('append', () => fn(['any', 'any'], (list, item) => [...listOf(list, 'push on'), item])),
  ...both('push', () => fn(['any', 'any'], (list, item) => [...listOf(list, 'push on'), item])),
  ...both('prepend', () => fn(['any', 'any'], (list, item) => [item, ...listOf(list, 'prepend on')])),
  ['concat', withRest([], 'any', (_none, lists) => lists.flatMap((list) => [...listOf(list, 'concat', ' as list')]))],
  ...both('uniq', (name) => fn(['any'], (list) => unique(listOf(list, `find ${name} on`)))),
  ...both('without', (name) =>
    withRest(['any'], 'any', ([list], omitted) =>
      listOf(list, `find ${name} on`).filter((item) => !omitted.some((other) => sameValue(item, other))),
    ),
  ),
  ...both('has', (name) =>
    fn(
      ['any', 'any'],
      (wanted, list) => list !== null && listOf(list, `find ${name} on`).some((item) => sameValue(item, wanted)),
    ),
  ),
  ...both('compact', () => fn(['any'], (list) => listOf(list, 'compact on').filter((item) => !isEmpty(item)))),
  ...both('chunk', () => fn(['int', 'any'], (size, list) => chunks(size, listOf(list, 'chunk')))),
  ['sortAlpha', fn(['any'], (list) => texts(list).toSorted(byBytes))],
];

function both(name: string, make: (name: string) => TemplateFunction): readonly Named[] {
  const made = make(name);
  return [
    [name, made],
    [`must${name.charAt(0).toUpperCase()}${name.slice(1)}`, made],
  ];
}

function listOf(value: Value, verb: string, tail = ''): readonly Value[] {
  if (isList(value)) return value;
  if (value === null) throw new FunctionError('runtime error: invalid memory address or nil pointer dereference');
  throw new FunctionError(`Cannot ${verb} type ${isMap(value) ? 'map' : typeName(value)}${tail}`);
}

function unique(list: readonly Value[]): readonly Value[] {
  const found: Value[] = [];
  for (const item of list) if (!found.some((other) => sameValue(item, other))) found.push(item);
  return found;
}

function chunks(size: number, list: readonly Value[]): readonly Value[] {
  if (size < 1) throw new FunctionError(`cannot make chunks of ${size}`);
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
