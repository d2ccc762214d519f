import { numberOf } from '../go-template/literals';
import { FunctionError, type Value } from '../go-template/values';
import {
  addDecimals,
  decimalOf,
  divideDecimals,
  floatOf,
  multiplyDecimals,
  subtractDecimals,
  type Decimal,
} from './decimal';
import { fitsList, fn, many, shownText, withRest, type TemplateFunction } from './function';

/** Sprig's arithmetic: int64 for those without an f at the end, which wraps around as Go's does. */
export const numberFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['atoi', fn(['string'], atoi)],
  ['int', fn(['any'], intOf)],
  ['int64', fn(['any'], intOf)],
  ['float64', fn(['any'], floatValue)],
  ['toDecimal', fn(['any'], (value) => octal(shownText(value)))],
  ['add1', fn(['any'], (value) => wrap(intOf(value) + 1n))],
  ['add', withRest([], 'any', (_none, values) => values.reduce<bigint>((sum, value) => wrap(sum + intOf(value)), 0n))],
  ['sub', fn(['any', 'any'], (a, b) => wrap(intOf(a) - intOf(b)))],
  ['mul', withRest(['any'], 'any', ([a], rest) => rest.reduce<bigint>((sum, b) => wrap(sum * intOf(b)), intOf(a)))],
  ['div', fn(['any', 'any'], (a, b) => wrap(intOf(a) / notZero(intOf(b))))],
  ['mod', fn(['any', 'any'], (a, b) => intOf(a) % notZero(intOf(b)))],
  ['max', withRest(['any'], 'any', ([a], rest) => largest([a, ...rest]))],
  ['biggest', withRest(['any'], 'any', ([a], rest) => largest([a, ...rest]))],
  [
    'min',
    withRest(['any'], 'any', ([a], rest) => rest.map(intOf).reduce((least, b) => (b < least ? b : least), intOf(a))),
  ],
  ['maxf', withRest(['any'], 'any', ([a], rest) => Math.max(floatValue(a), ...rest.map(floatValue)))],
  ['minf', withRest(['any'], 'any', ([a], rest) => Math.min(floatValue(a), ...rest.map(floatValue)))],
  ['floor', fn(['any'], (value) => Math.floor(floatValue(value)))],
  ['ceil', fn(['any'], (value) => Math.ceil(floatValue(value)))],
  [
    'round',
    withRest(['any', 'int'], 'float', ([value, places], [from = 0.5]) => round(floatValue(value), places, from)),
  ],
  ['add1f', fn(['any'], (value) => decimals(value, [1n], addDecimals))],
  ['addf', withRest([], 'any', (_none, values) => decimals(0, values, addDecimals))],
  ['subf', withRest(['any'], 'any', ([a], rest) => decimals(a, rest, subtractDecimals))],
  ['mulf', withRest(['any'], 'any', ([a], rest) => decimals(a, rest, multiplyDecimals))],
  ['divf', withRest(['any'], 'any', ([a], rest) => decimals(a, rest, divideDecimals))],
  ['until', fn(['int'], (count) => steps(0, count, count < 0 ? -1 : 1))],
  ['untilStep', fn(['int', 'int', 'int'], steps)],
  ['seq', { ...withRest([], 'int', (_none, params) => sequence(params)), max: many }],
];

const maxInt = 9_223_372_036_854_775_807n;

function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

function notZero(value: bigint): bigint {
  if (value === 0n) throw new FunctionError('runtime error: integer divide by zero');
  return value;
}

/** Go's strconv.Atoi without its error: nothing is 0, and too much is as much as fits. */
function atoi(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) return 0n;
  const value = BigInt(text.replace('+', ''));
  if (value > maxInt) return maxInt;
  return value < -maxInt - 1n ? -maxInt - 1n : value;
}

/** spf13/cast's ToInt64: what is no number is 0. */
function intOf(value: Value): bigint {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      return Number.isFinite(value) ? wrap(BigInt(Math.trunc(value))) : 0n;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string': {
      const read = numberOf(value.replace(/\.0*$/, ''));
      return typeof read === 'bigint' ? read : 0n;
    }
    default:
      return 0n;
  }
}

function floatValue(value: Value): number {
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string' || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) return 0;
  return Number(value);
}

function octal(text: string): bigint {
  if (!/^[+-]?[0-7]+$/.test(text)) return 0n;
  const value = BigInt(`0o${text.replace(/^[+-]/, '')}`) * (text.startsWith('-') ? -1n : 1n);
  return value === wrap(value) ? value : 0n;
}

function largest(values: readonly Value[]): bigint {
  return values.map(intOf).reduce((most, value) => (value > most ? value : most));
}

function round(value: number, places: number, from: number): number {
  const power = 10 ** places;
  const digit = power * value;
  return (digit - Math.trunc(digit) >= from ? Math.ceil(digit) : Math.floor(digit)) / power;
}

/** Sums and products of decimals, so that 0.1 and 0.2 are 0.3. */
function decimals(first: Value, rest: readonly Value[], by: (a: Decimal, b: Decimal) => Decimal): number {
  const exact = (value: Value): Decimal => decimalOf(floatValue(value));
  return floatOf(rest.map(exact).reduce(by, exact(first)));
}

function steps(from: number, to: number, step: number): readonly bigint[] {
  if (to === from || step === 0 || step > 0 !== to > from) return [];
  const count = Math.ceil((to - from) / step);
  fitsList(count);
  return Array.from({ length: count }, (_, i) => BigInt(from + i * step));
}

function sequence(params: readonly number[]): string {
  if (params.length === 0 || params.length > 3) return '';
  const [from, step, to] =
    params.length === 1 ? [1, undefined, params[0]] : params.length === 2 ? [params[0], undefined, params[1]] : params;
  const [begin, end] = [from ?? 0, to ?? 0];
  const towards = end < begin ? -1 : 1;
  return steps(begin, end + towards, step ?? towards).join(' ');
}
