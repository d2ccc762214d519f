import { fn, type TemplateFunction } from './function';

type WordType = 'number' | 'upper' | 'alphabet' | 'connector' | 'punctuation' | 'other' | 'none';
interface Word {
  readonly type: WordType;
  readonly text: string;
}

/** Sprig's functions of names, which are those of github.com/huandu/xstrings. */
export const wordFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['snakecase', fn(['string'], (text) => lowerCaseWords(text, '_'))],
  ['kebabcase', fn(['string'], (text) => lowerCaseWords(text, '-'))],
  ['camelcase', fn(['string'], pascalCase)],
];

const isConnector = (c: string) => /^[-_\s]$/u.test(c);
const isUpper = (c: string) => /^\p{Lu}$/u.test(c);

/** A run of characters of one kind; the last capital before small letters begins the next word (HTTP|Status). */
const word = /[-_\s]+|\p{P}+|\p{Lu}{2,}(?!\p{Ll})|\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lu}|\p{Nd}+|\p{L}+|[^]/gu;

function wordsOf(text: string): readonly Word[] {
  return Array.from(text.matchAll(word), ([found]) => ({ type: typeOf(found), text: found }));
}

function typeOf(text: string): WordType {
  const [first = ''] = Array.from(text);
  if (isConnector(first)) return 'connector';
  if (/^\p{P}/u.test(first)) return 'punctuation';
  if (/^\p{Nd}/u.test(first)) return 'number';
  if (isUpper(first)) return 'upper';
  return /^\p{L}/u.test(first) ? 'alphabet' : 'other';
}

function lowerCaseWords(text: string, connector: string): string {
  const words = wordsOf(text);
  let out = '';
  words.forEach(({ type, text: own }, i) => {
    const next = words[i + 1]?.type ?? 'none';
    out += type === 'connector' ? connector.repeat(Array.from(own).length) : own.toLowerCase();
    const joins = type === 'connector' || type === 'punctuation' || next === 'connector' || next === 'punctuation';
    if (next !== 'none' && !joins && !isPartOf(words, i)) out += connector;
  });
  return out;
}

/** A number belongs to the letters around it: `Bld4Floor` is bld4_floor, `HTTP2xx` http_2xx. */
function isPartOf(words: readonly Word[], i: number): boolean {
  const [own, next, after] = [words[i]?.type, words[i + 1]?.type, words[i + 2]?.type];
  if (own === 'number') return next === 'alphabet';
  return next === 'number' && after !== 'alphabet';
}

function pascalCase(text: string): string {
  const all = Array.from(text);
  const start = all.findIndex((c) => !isConnector(c));
  if (start < 0) return text;
  let out = all.slice(0, start).join('') + (all[start] ?? '').toUpperCase();
  let lowers = isUpper(all[start] ?? '');
  for (let i = start + 1; i < all.length; i++) {
    const [before, c] = [all[i - 1] ?? '', all[i] ?? ''];
    if (isConnector(c)) {
      // Of several connectors all but one stay; one at the end stays too.
      if (isConnector(before) || i === all.length - 1) out += c;
    } else if (isConnector(before)) {
      lowers = isUpper(c);
      out += c.toUpperCase();
    } else {
      lowers = lowers && isUpper(c);
      out += lowers ? c.toLowerCase() : c;
    }
  }
  return out;
}
