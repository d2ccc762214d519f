/** A float that is not negative as Go's fmt prints it with this verb; undefined when the verb is none for floats. -1 = no precision. */
export function formatFloat(value: number, verb: string, precision: number): string | undefined {
  if (!'veEfFgG'.includes(verb)) return undefined;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : '+Inf';
  switch (verb) {
    case 'e':
    case 'E':
      return upper(exponential(value, precision < 0 ? 6 : precision), verb);
    case 'f':
    case 'F':
      return fixed(value, precision < 0 ? 6 : precision);
    default:
      return upper(general(value, precision), verb);
  }
}

/** The shortest text that reads back as the value, or `precision` digits; with an exponent below -4, and from 6 or `precision` up. */
function general(value: number, precision: number): string {
  const digits = precision === 0 ? 1 : precision;
  const shortest = digits < 0;
  const [mantissa = '0', power = '0'] = (
    shortest ? value.toExponential() : value.toExponential(clamp(digits - 1))
  ).split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= (shortest ? 6 : digits)) {
    return withExponent(shortest ? mantissa : trimmed(mantissa), exponent);
  }
  return shortest ? fixedShortest(mantissa, exponent) : trimmed(fixed(value, Math.max(digits - 1 - exponent, 0)));
}

function fixedShortest(mantissa: string, exponent: number): string {
  const digits = mantissa.replace('.', '');
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = digits.slice(exponent + 1);
  return rest === '' ? whole : `${whole}.${rest}`;
}

function exponential(value: number, precision: number): string {
  const [mantissa = '0', power = '0'] = value.toExponential(clamp(precision)).split('e');
  return withExponent(mantissa, Number(power));
}

function withExponent(mantissa: string, exponent: number): string {
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Every digit, however large the value; halves go to the even digit, where toFixed would go up. */
function fixed(value: number, precision: number): string {
  const [numerator, denominator] = fraction(value);
  const scaled = numerator * 10n ** BigInt(precision);
  const [whole, rest] = [scaled / denominator, (scaled % denominator) * 2n];
  const isUp = rest > denominator || (rest === denominator && whole % 2n === 1n);
  const digits = (isUp ? whole + 1n : whole).toString().padStart(precision + 1, '0');
  return precision === 0 ? digits : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

/** The double exactly. */
function fraction(value: number): readonly [bigint, bigint] {
  let [numerator, power] = [value, 0];
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    power++;
  }
  return [BigInt(numerator), 2n ** BigInt(power)];
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function clamp(precision: number): number {
  return Math.min(precision, 100);
}

function upper(text: string, verb: string): string {
  return verb === 'E' || verb === 'G' ? text.toUpperCase() : text;
}
