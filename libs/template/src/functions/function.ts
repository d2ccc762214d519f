import { maxTextLength, textOf } from '../go-template/format';
import { FunctionError, isMap, type Value, type ValueMap } from '../go-template/values';

/** Go's type of a parameter; `any` is interface {}. */
export type Kind = 'any' | 'string' | 'int' | 'float' | 'bool' | 'map';

export interface TemplateFunction {
  /** Arguments, at least and at most. */
  readonly min: number;
  readonly max: number;
  /** What the arguments must be, the last kind for all that follow; absent: they may be anything. */
  readonly takes?: readonly Kind[];
  /** Throws FunctionError. */
  call(args: readonly Value[]): Value;
}

/** Name → function. More can be added to a table of one's own; `and` and `or` belong to the evaluator, which stops at the first answer. */
export type TemplateFunctions = ReadonlyMap<string, TemplateFunction>;

/** Any number of arguments. */
export const many = Number.POSITIVE_INFINITY;

interface KindValues {
  any: Value;
  string: string;
  int: number;
  float: number;
  bool: boolean;
  map: ValueMap;
}
type ArgsOf<K extends readonly Kind[]> = { readonly [I in keyof K]: KindValues[K[I]] };

/** A function of exactly these arguments. */
export function fn<const K extends readonly Kind[]>(takes: K, call: (...args: ArgsOf<K>) => Value): TemplateFunction {
  return {
    min: takes.length,
    max: takes.length,
    takes,
    // The evaluator has checked the arguments against `takes`.
    call: (args) => call(...(args.map((arg, i) => native(arg, takes[i] ?? 'any')) as unknown as ArgsOf<K>)),
  };
}

/** A function of these arguments and any number of others. */
export function withRest<const K extends readonly Kind[], R extends Kind>(
  takes: K,
  rest: R,
  call: (args: ArgsOf<K>, rest: readonly KindValues[R][]) => Value,
): TemplateFunction {
  return {
    min: takes.length,
    max: many,
    takes: [...takes, rest],
    call: (args) => {
      const all: readonly unknown[] = args.map((arg, i) => native(arg, takes[i] ?? rest));
      // As above.
      const fixed = all.slice(0, takes.length) as unknown as ArgsOf<K>;
      return call(fixed, all.slice(takes.length) as KindValues[R][]);
    },
  };
}

function native(value: Value, kind: Kind): unknown {
  if (kind === 'int') return Number(value);
  if (kind === 'map') return value ?? {};
  return value;
}

/** What a function works with is data of a template: it must not be able to make the server run out of memory. */
export function fits(length: number): void {
  if (length > maxTextLength) throw new FunctionError(`the result is longer than ${maxTextLength} characters`);
}

export function fitsList(length: number): void {
  if (length > maxParts) throw new FunctionError(`the result has more than ${maxParts} parts`);
}

/** Values in one value, those that it holds twice counted twice. */
export const maxParts = 50_000;
const maxDepth = 100;

/**
 * How much a value holds: its parts, and its characters by 64. Throws FunctionError when it has too many, or is nested too deeply: which
 * is also what a map that was put into itself is.
 */
export function measure(value: Value): number {
  let parts = 0;
  let characters = 0;
  const walk = (one: Value, depth: number): void => {
    if (depth > maxDepth) throw new FunctionError(`a value is nested deeper than ${maxDepth}`);
    fitsList(++parts);
    if (typeof one === 'string') fits((characters += one.length));
    else if (Array.isArray(one)) for (const item of one as readonly Value[]) walk(item, depth + 1);
    else if (isMap(one)) {
      for (const [key, item] of Object.entries(one)) {
        characters += key.length;
        walk(item, depth + 1);
      }
    }
  };
  walk(value, 0);
  return (parts + characters) / 64;
}

/** Sprig's strval: a text as it is, everything else as it is printed. */
export function shownText(value: Value): string {
  return typeof value === 'string' ? value : textOf(value);
}
