import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError, type Args, type CliCommand, type Flag, type Flags } from './cli-command';
import { nearest } from '@tinkerbell/domain';

type Token = NonNullable<
  ReturnType<typeof parseArgs<{ tokens: true; args: string[]; strict: false }>>['tokens']
>[number];
type OptionToken = Extract<Token, { readonly kind: 'option' }>;

/** Flags and positionals of one command. Its own flags win over global ones of the same short name. Throws UsageError. */
export function parseArguments(
  args: readonly string[],
  command: CliCommand,
  globals: Flags,
): { given: Args; global: Args } {
  const all: Flags = { ...withoutTakenShorts(globals, command.flags), ...command.flags };
  const { tokens } = parseArgs({ args: [...args], options: optionsOf(all), strict: false, tokens: true });
  const found = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind === 'option') collect(token, all, found, command.name);
  }
  const { min, max, usage } = command.positionals ?? { min: 0, max: 0, usage: '' };
  const helping = found.has('help');
  if (!helping && positionals.length < min) throw new UsageError(`tink ${command.name} needs ${usage}`);
  if (!helping && positionals.length > max) {
    throw new UsageError(
      `tink ${command.name} does not take ${JSON.stringify(positionals[max])}`,
      max === 0 ? fileHint(command.flags) : `usage: tink ${command.name} ${usage}`,
    );
  }
  return {
    given: { flags: valuesOf(command.flags, found, helping), positionals },
    global: { flags: valuesOf(globals, found, helping), positionals: [] },
  };
}

/** Splits off the global flags before the command's name: `tink --server URL hardware list`. */
export function leadingFlags(
  args: readonly string[],
  globals: Flags,
): { before: readonly string[]; rest: readonly string[] } {
  const takesValue = (arg: string) => {
    const [key, flag] =
      Object.entries(globals).find(([name, each]) => arg === `--${name}` || arg === `-${each.short}`) ?? [];
    return key !== undefined && flag !== undefined && flag.kind !== 'switch';
  };
  let end = 0;
  while (end < args.length) {
    const arg = args[end] ?? '';
    if (!arg.startsWith('-') || arg === '-' || arg === '--') break;
    end += takesValue(arg) ? 2 : 1;
  }
  return { before: args.slice(0, end), rest: args.slice(end) };
}

function collect(token: OptionToken, flags: Flags, found: Map<string, string[]>, command: string): void {
  const entry = Object.entries(flags).find(
    ([name, { aliases = [] }]) => name === token.name || aliases.includes(token.name),
  );
  if (!entry) throw unknownFlag(token.rawName, flags, command);
  const [name, flag] = entry;
  const values = found.get(name) ?? [];
  found.set(name, values);
  values.push(valueOf(token, name, flag, flags));
}

function valueOf(token: OptionToken, name: string, flag: Flag, flags: Flags): string {
  const { rawName, value, inlineValue } = token;
  if (flag.kind === 'switch') {
    if (value === undefined || value === 'true') return 'true';
    if (value === 'false') return 'false';
    throw new UsageError(`${rawName} takes no value, got ${JSON.stringify(value)}`);
  }
  const looksLikeFlag = inlineValue === false && typeof value === 'string' && isFlag(value, flags);
  if (value === undefined || looksLikeFlag) throw new UsageError(`${rawName} needs a value: ${rawName} ${flag.value}`);
  if (flag.kind === 'number') checkNumber(rawName, value, flag);
  if ((flag.kind === 'text' || flag.kind === 'list') && flag.choices) {
    const parts = flag.kind === 'list' ? value.split(',') : [value];
    return parts.map((part) => choiceOf(name, part, flag.choices ?? [])).join(',');
  }
  return value;
}

function checkNumber(
  rawName: string,
  text: string,
  { min = 0, max }: Extract<Flag, { readonly kind: 'number' }>,
): void {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (number >= min && number <= (max ?? Infinity)) return;
  const bounds = max === undefined ? (min === 0 ? '' : ` from ${min} on`) : ` from ${min} to ${max}`;
  throw new UsageError(`${rawName} is a whole number${bounds}, got ${JSON.stringify(text)}`);
}

/** `tink hardware push machine.json` */
function fileHint(flags: Flags): string {
  const named = ['file', 'path'].find((name) => flags[name] !== undefined);
  return named === undefined ? '' : `the file is named with --${named}`;
}

/** The choice as it is written in the table, whatever case the user typed it in. */
function choiceOf(name: string, text: string, choices: readonly string[]): string {
  const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  const meant = nearest(
    text.toLowerCase(),
    choices.map((choice) => choice.toLowerCase()),
  );
  const named = choices.find((choice) => choice.toLowerCase() === meant);
  const message =
    choices.length > 12
      ? `--${name} does not know ${JSON.stringify(text)}`
      : `--${name} is one of ${choices.join(', ')}, got ${JSON.stringify(text)}`;
  const all = choices.length > 12 ? `it is one of ${choices.join(', ')}` : undefined;
  throw new UsageError(message, named === undefined ? all : `did you mean ${named}?`);
}

function isFlag(text: string, flags: Flags): boolean {
  const [name = ''] = text.split('=');
  return Object.entries(flags).some(([long, { short }]) => name === `--${long}` || name === `-${short}`);
}

function unknownFlag(rawName: string, flags: Flags, command: string): UsageError {
  const names = Object.keys(flags);
  const meant = nearest(rawName.replace(/^-+/, ''), names);
  const place = command === '' ? '' : ` of tink ${command}`;
  return new UsageError(
    `unknown flag ${rawName}${place}`,
    meant === undefined ? undefined : `did you mean --${meant}?`,
  );
}

function valuesOf(flags: Flags, found: ReadonlyMap<string, readonly string[]>, lenient: boolean): Args['flags'] {
  const values: Record<string, boolean | string | number | readonly string[] | undefined> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const given = found.get(name);
    const last = given?.at(-1);
    if (flag.kind === 'switch') values[name] = last === 'true';
    else if (flag.kind === 'list')
      values[name] = (given ?? []).flatMap((text) => text.split(',')).filter((text) => text !== '');
    else if (flag.kind === 'number') values[name] = last === undefined ? flag.default : Number(last);
    else {
      if (flag.required && !last && !lenient) {
        const short = flag.short === undefined ? '' : ` (-${flag.short})`;
        throw new UsageError(`--${name}${short} is required: ${flag.about}`);
      }
      values[name] = last;
    }
  }
  // Checked flag by flag above; TypeScript cannot follow a record keyed by name.
  return values as Args['flags'];
}

function optionsOf(flags: Flags): NonNullable<ParseArgsConfig['options']> {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, { kind, short, aliases = [] }] of Object.entries(flags)) {
    const type = kind === 'switch' ? ('boolean' as const) : ('string' as const);
    options[name] = { type, multiple: true, ...(short === undefined ? {} : { short }) };
    for (const alias of aliases) options[alias] = { type, multiple: true };
  }
  return options;
}

function withoutTakenShorts(globals: Flags, own: Flags): Flags {
  const taken = new Set(Object.values(own).map(({ short }) => short));
  return Object.fromEntries(
    Object.entries(globals).map(([name, flag]) => {
      const { short, ...rest } = flag;
      return [name, short !== undefined && taken.has(short) ? rest : flag];
    }),
  );
}
