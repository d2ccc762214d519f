import { formatFloat } from './format-float';
import { quote } from './literals';
import { FunctionError, isList, sortedKeys, typeName, type Value } from './values';

/** Characters that any one result may have. */
export const maxTextLength = 262_144;
const maxPadding = 1_000;

interface Flags {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number;
  /** -1 = none given. */
  readonly precision: number;
}

const plain: Flags = { minus: false, plus: false, sharp: false, space: false, zero: false, width: 0, precision: -1 };

/** A value as Go's fmt prints it with %v. */
export function textOf(value: Value): string {
  return formatValue(value, 'v', plain);
}

/** fmt.Sprint: spaces between operands when neither is a string. */
export function sprint(values: readonly Value[]): string {
  return values
    .map((value, i) => {
      const before = values[i - 1];
      const spaced = i > 0 && typeof value !== 'string' && typeof before !== 'string';
      return `${spaced ? ' ' : ''}${textOf(value)}`;
    })
    .join('');
}

const directive = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(\[?)([^]?)/gu;

/** fmt.Sprintf, without argument indexes (`%[1]d`) and `%p`. */
export function sprintf(format: string, values: readonly Value[]): string {
  let used = 0;
  let size = 0;
  const count = (text: string): string => {
    size += text.length;
    if (size > maxTextLength) throw new FunctionError(`the result is longer than ${maxTextLength} characters`);
    return text;
  };
  const text = format.replace(
    directive,
    (all: string, flags: string, width, precision, bracket: string, verb: string) => {
      if (bracket !== '') throw new FunctionError(`argument indexes are not supported: ${quote(all)}`);
      const star = (): bigint | undefined => {
        const value = values[used++];
        return typeof value === 'bigint' ? value : undefined;
      };
      const wide = width === '*' ? star() : Number(width ?? 0);
      const hasPoint = all.slice(1 + flags.length).includes('.') && verb !== '.';
      const exact = precision === '*' ? star() : hasPoint ? Number(precision ?? 0) : -1;
      const bad = `${wide === undefined ? '%!(BADWIDTH)' : ''}${exact === undefined ? '%!(BADPREC)' : ''}`;
      if (verb === '') return count(`${bad}%!(NOVERB)`);
      if (verb === '%') return count(`${bad}%`);
      if (used >= values.length) return count(`${bad}%!${verb}(MISSING)`);
      const value = values[used++] ?? null;
      const minus = flags.includes('-') || Number(wide ?? 0) < 0;
      const options = {
        minus,
        // %+v asks for the names of struct fields, of which there are none.
        plus: flags.includes('+') && verb !== 'v',
        sharp: flags.includes('#'),
        space: flags.includes(' '),
        zero: flags.includes('0') && !minus,
        width: limited(Math.abs(Number(wide ?? 0))),
        precision: limited(Number(exact ?? -1)),
      };
      return count(bad + formatValue(value, verb, options));
    },
  );
  if (used >= values.length) return text;
  const extra = values.slice(used).map((value) => (value === null ? '<nil>' : `${typeName(value)}=${textOf(value)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function limited(size: number): number {
  if (size <= maxPadding) return size;
  throw new FunctionError(`a width or precision of ${size} is more than ${maxPadding}`);
}

function formatValue(value: Value, verb: string, flags: Flags): string {
  if (verb === 'T') return pad(typeName(value), flags);
  if (value === null) return verb === 'v' ? pad('<nil>', flags) : `%!${verb}(<nil>)`;
  if (isList(value)) return `[${value.map((item) => formatItem(item, verb, flags)).join(' ')}]`;
  switch (typeof value) {
    case 'string':
      return formatString(value, verb, flags);
    case 'boolean':
      return verb === 'v' || verb === 't' ? pad(String(value), flags) : badVerb(value, verb, flags);
    case 'bigint':
      return formatInt(value, verb, flags);
    case 'number':
      return formatNumber(value, verb, flags);
    default: {
      const entries = sortedKeys(value).map(
        (key) => `${formatItem(key, verb, flags)}:${formatItem(value[key] ?? null, verb, flags)}`,
      );
      return `map[${entries.join(' ')}]`;
    }
  }
}

function formatItem(value: Value, verb: string, flags: Flags): string {
  return value === null ? pad('<nil>', flags) : formatValue(value, verb, flags);
}

/** Width, precision and flags stay in force. */
function badVerb(value: Value, verb: string, flags: Flags): string {
  return `%!${verb}(${typeName(value)}=${formatValue(value, 'v', flags)})`;
}

function formatString(value: string, verb: string, flags: Flags): string {
  const cut = flags.precision < 0 ? value : Array.from(value).slice(0, flags.precision).join('');
  switch (verb) {
    case 'v':
      return flags.sharp ? pad(quote(cut), flags) : pad(cut, flags);
    case 's':
      return pad(cut, flags);
    case 'q':
      return pad(flags.sharp && !cut.includes('`') ? `\`${cut}\`` : quote(cut), flags);
    case 'x':
    case 'X': {
      const bytes = new TextEncoder().encode(value);
      const hex = Array.from(flags.precision < 0 ? bytes : bytes.slice(0, flags.precision), (byte) =>
        byte.toString(16).padStart(2, '0'),
      ).join(flags.space ? ' ' : '');
      return pad(cased((flags.sharp && hex !== '' ? '0x' : '') + hex, verb), flags);
    }
    default:
      return badVerb(value, verb, flags);
  }
}

const bases: Readonly<Record<string, readonly [number, string]>> = {
  v: [10, ''],
  d: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0x'],
};

function formatInt(value: bigint, verb: string, flags: Flags): string {
  const code = Number(value);
  const character =
    code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd';
  if (verb === 'c') return pad(character, flags);
  if (verb === 'q')
    return pad(`'${quote(character).slice(1, -1).replaceAll("'", "\\'").replaceAll('\\"', '"')}'`, flags);
  if (verb === 'U') return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, flags);
  const [base, prefix] = bases[verb] ?? [0, ''];
  if (base === 0) return badVerb(value, verb, flags);
  const sign = signOf(value < 0n, flags);
  const digits = (value < 0n ? -value : value).toString(base);
  const lead = verb === 'O' || flags.sharp ? prefix : '';
  // A zero flag counts up to the width, unless the precision says how many digits there are.
  const wanted = flags.precision >= 0 ? flags.precision : flags.zero ? flags.width - sign.length : 0;
  const whole = flags.precision === 0 && value === 0n ? '' : digits.padStart(wanted, '0');
  return pad(cased(sign + lead + whole, verb), { ...flags, zero: false });
}

function formatNumber(value: number, verb: string, flags: Flags): string {
  const text = formatFloat(Math.abs(value), verb, flags.precision);
  if (text === undefined) return badVerb(value, verb, flags);
  const sign = signOf(value < 0 || Object.is(value, -0), flags);
  if (!flags.zero || !Number.isFinite(value)) return pad(sign + text, { ...flags, zero: false });
  return sign + text.padStart(flags.width - sign.length, '0');
}

function signOf(isNegative: boolean, { plus, space }: Flags): string {
  return isNegative ? '-' : plus ? '+' : space ? ' ' : '';
}

function cased(text: string, verb: string): string {
  return verb === 'X' ? text.toUpperCase() : text;
}

function pad(text: string, { width, minus, zero }: Flags): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (minus) return text + ' '.repeat(missing);
  return (zero ? '0' : ' ').repeat(missing) + text;
}
