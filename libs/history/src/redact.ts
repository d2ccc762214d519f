/**
 * The one list of what may not leave in a bundle. What stands for it is always the same text, so that the same log makes the same bundle,
 * and projections of it have the same text in the same place.
 */
const removed = '[removed]';

/** Names of members, environment variables, command line flags and YAML keys whose value is a secret. */
const secretName = new RegExp(
  [
    'pass(word|wd|phrase|code|)$|password|pwd$|secret|token|credential|cookie|^auth$|authorization',
    '(private|api|access|account|encryption|license|licence|luks|host|signing|ssh)[_-]?keys?',
    'authorized[_-]?keys|ssh[_-]?keys?|crypt(ed)?[_-]|shadow|user[_-]?data|cloud[_-]?(init|config)|vendor[_-]?data|[_-]key$',
  ].join('|'),
  'i',
);
const isSecret = (name: string) => secretName.test(name) && !/public[_-]?key/i.test(name);

/** Secrets that show themselves, whatever they are called. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, removed],
  [/(?<=:\/\/[^\s:/@]*:)[^\s/@]+(?=@)/g, removed],
  [/\$(1|2[abxy]|5|6|7|y|gy|argon2\w*)\$[^\s"':,]+/g, removed],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+/g, removed],
  [/\b(Basic|Bearer) [\w+/=.~-]{6,}/g, `$1 ${removed}`],
];

/** A value that was a secret in one place is removed in all others too, unless it is so short that it might be anything. */
const shortest = 8;

/** Removes secrets from JSON values. `whole`: everything of which parts will be redacted; `ids`: what has to stay although it looks like a secret. */
export function redactor(whole: readonly unknown[], ids: ReadonlySet<string>): <T>(value: T) => T {
  const known = new Set<string>();
  const learn = (secret: string) => {
    if (secret.length >= shortest && !ids.has(secret) && !secret.includes(removed)) known.add(secret);
    return removed;
  };
  for (const value of whole) walk(value, (text) => inText(text, learn), learn);
  // A secret that is part of another one would leave the rest of that.
  const values = [...known].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const everywhere = (text: string) => values.reduce((rest, secret) => rest.replaceAll(secret, removed), text);
  const forget = () => removed;
  // What walk gives back has the shape of what it was given: only texts and numbers in it are others.
  return <T>(value: T) => walk(value, (text) => inText(everywhere(text), forget), forget) as T;
}

type Change = (text: string) => string;

function walk(value: unknown, text: Change, secret: Change): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map((item: unknown) => walk(item, text, secret));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (isSecret(name)) return [name, blank(member, secret)];
      if (name === 'environment' && Array.isArray(member))
        return [name, member.map((pair) => inPair(pair, text, secret))];
      return [name, walk(member, text, secret)];
    }),
  );
}

/** Every text and number below goes, the shape stays. */
function blank(value: unknown, secret: Change): unknown {
  if (typeof value === 'string') return value === '' ? value : secret(value);
  if (typeof value === 'number') return removed;
  if (Array.isArray(value)) return value.map((item: unknown) => blank(item, secret));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, blank(member, secret)]));
}

/** `KEY=value` of a container's environment: all of the value. */
function inPair(pair: unknown, text: Change, secret: Change): unknown {
  if (typeof pair !== 'string') return pair;
  const equals = pair.indexOf('=');
  const [name, value] = [pair.slice(0, Math.max(0, equals)), pair.slice(equals + 1)];
  return isSecret(name) && value !== '' ? `${name}=${secret(value)}` : text(pair);
}

const yamlKey = /^(\s*)(?:- )?["']?([\w.-]+)["']?\s*:\s*([|>][-+\d]*)?\s*$/;
const word = String.raw`\[removed\]|"[^"\n]*"|'[^'\n]*'`;
const assignment = new RegExp(
  String.raw`(["']?)(-{0,2}[A-Za-z][\w.-]*)\1([ \t]*[:=][ \t]*)(${word}|[^\s"',;}\]]+)`,
  'g',
);
const flag = new RegExp(String.raw`(--[A-Za-z][\w-]*)( +)(${word}|[^\s"'-][^\s"']*)`, 'g');
/** Takes its value from elsewhere, or is the sign for a block of YAML. */
const noValue = /^["']?\{\{|^[|>][-+\d]*$/;

/** Scripts, templates, output: `name: value`, `NAME=value`, `--name value`, and blocks of YAML below a name. */
function inText(text: string, secret: Change): string {
  const shaped = shapes.reduce((rest, [shape, by]) => rest.replace(shape, by), withoutBlocks(text, secret));
  return withoutAssignments(shaped, secret).replace(flag, (all: string, name: string, space: string, value: string) =>
    isSecret(name) ? `${name}${space}${inQuotes(value, secret)}` : all,
  );
}

/** What is assigned to a name that is no secret may be an assignment itself: `error: password: x`, `https://x?token=y`. */
function withoutAssignments(text: string, secret: Change): string {
  const scan = new RegExp(assignment);
  let [clean, from] = ['', 0];
  for (let found = scan.exec(text); found; found = scan.exec(text)) {
    const [all, , name = '', , value = ''] = found;
    const end = found.index + all.length;
    if (isSecret(name) && !noValue.test(value)) {
      clean += text.slice(from, end - value.length) + inQuotes(value, secret);
      from = end;
    } else scan.lastIndex = end - value.length;
  }
  return clean + text.slice(from);
}

function inQuotes(value: string, secret: Change): string {
  const [, quote = '', inner = value] = /^(["'])(.*)\1$/s.exec(value) ?? [];
  return inner === '' || inner === removed ? value : `${quote}${secret(inner)}${quote}`;
}

function withoutBlocks(text: string, secret: Change): string {
  if (!text.includes('\n')) return text;
  const lines: string[] = [];
  let block: { readonly indent: number; readonly lines: string[] } | undefined;
  const close = () => {
    const kept = block?.lines.map((line) => line.trim()).join('\n') ?? '';
    if (block && kept !== '') lines.push(`${' '.repeat(block.indent + 2)}${secret(kept)}`);
    block = undefined;
  };
  for (const line of text.split('\n')) {
    const indent = line.search(/\S/);
    if (block && (indent < 0 || indent > block.indent)) {
      block.lines.push(line);
      continue;
    }
    close();
    lines.push(line);
    const [, spaces = '', name = ''] = yamlKey.exec(line) ?? [];
    if (name !== '' && isSecret(name)) block = { indent: spaces.length, lines: [] };
  }
  close();
  return lines.join('\n');
}
