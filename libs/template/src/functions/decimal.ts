import { FunctionError } from '../go-template/values';

/** `digits * 10 ** -scale`, exactly. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Digits behind the point of a quotient, as in github.com/shopspring/decimal. */
const quotientScale = 16;
/** Of a product or sum; more than any float has. */
const maxScale = 1_500;

/** The decimal with the fewest digits that reads back as this float. */
export function decimalOf(value: number): Decimal {
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  return shifted(BigInt(`${sign}${whole}${fraction}`), fraction.length - Number(exponent));
}

export function floatOf({ digits, scale }: Decimal): number {
  return Number(`${digits}e${-scale}`);
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: at(a, scale) + at(b, scale), scale };
}

export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  return addDecimals(a, { ...b, digits: -b.digits });
}

export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.scale + b.scale > maxScale) throw new FunctionError('the numbers are too small');
  return { digits: a.digits * b.digits, scale: a.scale + b.scale };
}

export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (b.digits === 0n) throw new FunctionError('decimal division by 0');
  const over = quotientScale + b.scale - a.scale;
  const [up, down] = over >= 0 ? [a.digits * power(over), b.digits] : [a.digits, b.digits * power(-over)];
  const [whole, rest] = [up / down, up % down];
  const isUp = 2n * absolute(rest) >= absolute(down);
  const away = up < 0n !== down < 0n ? -1n : 1n;
  return { digits: whole + (isUp ? away : 0n), scale: quotientScale };
}

function shifted(digits: bigint, scale: number): Decimal {
  return scale < 0 ? { digits: digits * power(-scale), scale: 0 } : { digits, scale };
}

function at({ digits, scale }: Decimal, wanted: number): bigint {
  return digits * power(wanted - scale);
}

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
