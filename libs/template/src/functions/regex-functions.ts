import { RE2JS, RE2JSException } from 're2js';
import { FunctionError, type Value } from '../go-template/values';
import { fits, fitsList, fn, type TemplateFunction } from './function';

/** Characters of a pattern, and of a pattern times its text: matching takes time in proportion to both. */
const maxPattern = 1_000;
const maxWork = 4_000_000;

/** Sprig's regular expressions: Go's syntax and Go's engine, RE2, which never takes longer than in proportion to the text. */
export const regexFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['regexMatch', fn(['string', 'string'], (pattern, text) => tryCompile(pattern, text)?.test(text) ?? false)],
  ['mustRegexMatch', fn(['string', 'string'], (pattern, text) => compiled(pattern, text).test(text))],
  ...both('regexFind', (compile) =>
    fn(['string', 'string'], (pattern, text) => {
      const matcher = compile(pattern, text).matcher(text);
      return matcher.find() ? (matcher.group() ?? '') : '';
    }),
  ),
  ...both('regexFindAll', (compile) =>
    fn(['string', 'string', 'int'], (pattern, text, count) =>
      found(compile(pattern, text), text, count).map(({ start, end }) => text.slice(start, end)),
    ),
  ),
  ...both('regexReplaceAll', (compile) =>
    fn(['string', 'string', 'string'], (pattern, text, by) =>
      replaced(compile(pattern, text), text, (group) => expand(by, group)),
    ),
  ),
  ...both('regexReplaceAllLiteral', (compile) =>
    fn(['string', 'string', 'string'], (pattern, text, by) => replaced(compile(pattern, text), text, () => by)),
  ),
  ...both('regexSplit', (compile) =>
    fn(['string', 'string', 'int'], (pattern, text, count) => split(compile(pattern, text), text, count)),
  ),
  ['regexQuoteMeta', fn(['string'], (text) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'))],
];

type Compile = (pattern: string, text: string) => RE2JS;
type Group = (name: string) => string;
interface Match {
  readonly start: number;
  readonly end: number;
  readonly group: Group;
}

function both(
  name: string,
  make: (compile: Compile) => TemplateFunction,
): readonly (readonly [string, TemplateFunction])[] {
  const quoted: Compile = (pattern, text) => compiled(pattern, text, `regexp: Compile(\`${pattern}\`): `);
  return [
    [name, make(quoted)],
    [`must${name.charAt(0).toUpperCase()}${name.slice(1)}`, make(compiled)],
  ];
}

/** Throws FunctionError for what is no pattern, in Go's words. */
function compiled(pattern: string, text: string, before = ''): RE2JS {
  if (pattern.length > maxPattern || pattern.length * text.length > maxWork) {
    throw new FunctionError(`a pattern of ${pattern.length} and a text of ${text.length} characters are too long`);
  }
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) throw new FunctionError(before + error.message);
    throw error;
  }
}

/** regexMatch takes a faulty pattern for one that matches nothing. */
function tryCompile(pattern: string, text: string): RE2JS | undefined {
  try {
    return compiled(pattern, text);
  } catch (error) {
    if (error instanceof FunctionError) return undefined;
    throw error;
  }
}

/** At most `count` of them, all when it is negative. As in Go an empty match right behind another one does not count. */
function found(regex: RE2JS, text: string, count: number): readonly Match[] {
  const matches: Match[] = [];
  const matcher = regex.matcher(text);
  for (let last = -1; matches.length !== count && matcher.find();) {
    const [start, end] = [matcher.start(), matcher.end()];
    if (start === end && start === last) continue;
    last = end;
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '');
    const names = regex.namedGroups();
    const group = (name: string) => groups[/^\d+$/.test(name) ? Number(name) : (names[name] ?? -1)] ?? '';
    matches.push({ start, end, group });
    fitsList(matches.length);
  }
  return matches;
}

function replaced(regex: RE2JS, text: string, by: (group: Group) => string): string {
  let [at, size] = [0, text.length];
  const parts: string[] = [];
  for (const { start, end, group } of found(regex, text, -1)) {
    const part = by(group);
    fits((size += part.length));
    parts.push(text.slice(at, start), part);
    at = end;
  }
  return parts.join('') + text.slice(at);
}

/** `$1`, `${1}`, `$name`, `${name}`, `$$`; the longest name counts, so `$1W` is the group 1W. */
function expand(template: string, group: Group): string {
  return template.replace(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_all, dollar, braced, bare) =>
    dollar === undefined ? group(String(braced ?? bare)) : '$',
  );
}

/** regexp.Split. */
function split(regex: RE2JS, text: string, count: number): Value {
  if (count === 0) return [];
  if (regex.pattern() !== '' && text === '') return [''];
  const parts: string[] = [];
  let [from, to] = [0, 0];
  for (const { start, end } of found(regex, text, count)) {
    if (count > 0 && parts.length === count - 1) break;
    to = start;
    if (end !== 0) parts.push(text.slice(from, to));
    from = end;
  }
  if (to !== text.length) parts.push(text.slice(from));
  return parts;
}
