import { quote } from '../go-template/literals';
import { textOf } from '../go-template/format';
import { FunctionError, isList, type Value } from '../go-template/values';
import { fits, fn, shownText, withRest, type TemplateFunction } from './function';
import { bytesOf, cut, textOfBytes } from './utf8';

const space = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/gu;

/** Sprig's functions of texts. Positions are those of bytes, as in Go. */
export const textFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['contains', fn(['string', 'string'], (part, text) => text.includes(part))],
  ['hasPrefix', fn(['string', 'string'], (part, text) => text.startsWith(part))],
  ['hasSuffix', fn(['string', 'string'], (part, text) => text.endsWith(part))],
  ['upper', fn(['string'], (text) => text.toUpperCase())],
  ['lower', fn(['string'], (text) => text.toLowerCase())],
  ['title', fn(['string'], (text) => text.replace(/(?<![\p{L}\p{N}_])\p{L}/gu, (c) => c.toUpperCase()))],
  ['untitle', fn(['string'], (text) => text.replace(/(?<!\S)\S/gu, (c) => c.toLowerCase()))],
  ['swapcase', fn(['string'], swapCase)],
  ['trim', fn(['string'], (text) => trimChars(text, (c) => isSpace(c)))],
  ['trimAll', fn(['string', 'string'], trimAll)],
  ['trimall', fn(['string', 'string'], trimAll)],
  [
    'trimSuffix',
    fn(['string', 'string'], (end, text) => (text.endsWith(end) ? text.slice(0, text.length - end.length) : text)),
  ],
  ['trimPrefix', fn(['string', 'string'], (begin, text) => (text.startsWith(begin) ? text.slice(begin.length) : text))],
  ['nospace', fn(['string'], (text) => text.replace(space, ''))],
  ['repeat', fn(['int', 'string'], repeat)],
  ['substr', fn(['int', 'int', 'string'], substring)],
  ['trunc', fn(['int', 'string'], truncate)],
  ['abbrev', fn(['int', 'string'], (width, text) => abbreviate(0, width, text))],
  [
    'abbrevboth',
    fn(['int', 'int', 'string'], (left, right, text) => (left > 0 && right < 7 ? text : abbreviate(left, right, text))),
  ],
  ['initials', fn(['string'], (text) => (text.match(/(?<!\S)\S/gu) ?? []).join(''))],
  ['wrap', fn(['int', 'string'], (width, text) => wrap(text, width, '\n', false))],
  ['wrapWith', fn(['int', 'string', 'string'], (width, end, text) => wrap(text, width, end === '' ? '\n' : end, true))],
  ['indent', fn(['int', 'string'], indent)],
  ['nindent', fn(['int', 'string'], (width, text) => `\n${indent(width, text)}`)],
  ['replace', fn(['string', 'string', 'string'], replace)],
  ['plural', fn(['string', 'string', 'int'], (one, more, count) => (count === 1 ? one : more))],
  [
    'quote',
    withRest([], 'any', (_none, args) =>
      notNil(args)
        .map((arg) => quote(shownText(arg)))
        .join(' '),
    ),
  ],
  [
    'squote',
    withRest([], 'any', (_none, args) =>
      notNil(args)
        .map((arg) => `'${textOf(arg)}'`)
        .join(' '),
    ),
  ],
  ['cat', withRest([], 'any', (_none, args) => notNil(args).map(textOf).join(' '))],
  ['toString', fn(['any'], shownText)],
  ['join', fn(['string', 'any'], (separator, list) => joined(separator, texts(list)))],
  ['toStrings', fn(['any'], texts)],
  ['splitList', fn(['string', 'string'], (separator, text) => splitText(text, separator))],
  ['split', fn(['string', 'string'], (separator, text) => numbered(splitText(text, separator)))],
  ['splitn', fn(['string', 'int', 'string'], (separator, count, text) => numbered(splitAt(text, separator, count)))],
];

function notNil(values: readonly Value[]): readonly Value[] {
  return values.filter((value) => value !== null);
}

/** Sprig's strslice. */
export function texts(value: Value): readonly string[] {
  if (value === null) return [];
  return isList(value) ? notNil(value).map(shownText) : [shownText(value)];
}

function isSpace(character: string): boolean {
  return character.replace(space, '') === '';
}

function trimChars(text: string, drop: (character: string) => boolean): string {
  const all = Array.from(text);
  const first = all.findIndex((c) => !drop(c));
  return first < 0 ? '' : all.slice(first, all.findLastIndex((c) => !drop(c)) + 1).join('');
}

function trimAll(set: string, text: string): string {
  const drop = new Set(set);
  return trimChars(text, (c) => drop.has(c));
}

function swapCase(text: string): string {
  return text.replace(/\p{L}/gu, (c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()));
}

function repeat(count: number, text: string): string {
  if (count < 0) throw new FunctionError('strings: negative Repeat count');
  fits(count * text.length);
  return text.repeat(count);
}

function substring(from: number, to: number, text: string): string {
  const bytes = bytesOf(text);
  const [start, end] = [Math.max(from, 0), from >= 0 && (to < 0 || to > bytes.length) ? bytes.length : to];
  if (end < 0 || end > bytes.length || start > end) {
    throw new FunctionError(`runtime error: slice bounds out of range [${start}:${end}]`);
  }
  return textOfBytes(bytes.subarray(start, end));
}

function truncate(count: number, text: string): string {
  const size = bytesOf(text).length;
  if (count < 0) return size + count > 0 ? cut(text, size + count, size) : text;
  return size > count ? cut(text, 0, count) : text;
}

/** At most `width` bytes, `...` in place of what is left out on either side. */
function abbreviate(left: number, width: number, text: string): string {
  const size = bytesOf(text).length;
  if (width < 4 || size <= width) return text;
  let offset = Math.min(left, size);
  if (size - offset < width - 3) offset = size - (width - 3);
  if (offset <= 4) return `${cut(text, 0, width - 3)}...`;
  if (width < 7) return '';
  if (offset + width - 3 < size) return `...${abbreviate(0, width - 3, cut(text, offset, size))}`;
  return `...${cut(text, size - (width - 3), size)}`;
}

function wrap(text: string, width: number, end: string, breaksWords: boolean): string {
  const size = Math.max(width, 1);
  fits(text.length + Math.ceil(text.length / size) * end.length);
  const lines: string[] = [];
  let at = 0;
  while (text.length - at > size) {
    if (text[at] === ' ') {
      at++;
      continue;
    }
    const space = text.lastIndexOf(' ', at + size);
    const next = space >= at ? space : breaksWords ? at + size : text.indexOf(' ', at + size);
    lines.push(text.slice(at, next < 0 ? text.length : next));
    if (next < 0) return lines.join(end);
    at = text[next] === ' ' && !(space < at && breaksWords) ? next + 1 : next;
  }
  return [...lines, text.slice(at)].join(end);
}

function indent(width: number, text: string): string {
  if (width < 0) throw new FunctionError('strings: negative Repeat count');
  const lines = text.split('\n');
  fits(text.length + lines.length * width);
  const before = ' '.repeat(width);
  return lines.map((line) => before + line).join('\n');
}

function replace(old: string, by: string, text: string): string {
  const parts = old === '' ? ['', ...Array.from(text), ''] : text.split(old);
  fits(text.length + parts.length * by.length);
  return parts.join(by);
}

function joined(separator: string, parts: readonly string[]): string {
  fits(parts.reduce((sum, part) => sum + part.length + separator.length, 0));
  return parts.join(separator);
}

/** strings.Split: an empty separator splits between characters, also those beyond 16 bits. */
function splitText(text: string, separator: string): readonly string[] {
  return separator === '' ? Array.from(text) : text.split(separator);
}

/** strings.SplitN. */
function splitAt(text: string, separator: string, count: number): readonly string[] {
  if (count === 0) return [];
  const parts = splitText(text, separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

function numbered(parts: readonly string[]): Value {
  return Object.fromEntries(parts.map((part, i) => [`_${i}`, part]));
}
