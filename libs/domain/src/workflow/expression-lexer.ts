/** What is wrong with an expression; `at` counts characters from 0. */
export class ExpressionError extends Error {
  constructor(
    readonly fault: string,
    readonly at: number,
  ) {
    super(`${fault} (at character ${at + 1})`);
  }
}

interface Placed {
  readonly text: string;
  readonly at: number;
}
export type Token =
  | (Placed & { readonly kind: 'string'; readonly value: string })
  | (Placed & { readonly kind: 'number'; readonly value: number })
  | (Placed & { readonly kind: 'name' | 'operator' | 'end' });

const operators = ['==', '!=', '<=', '>=', '&&', '||', '<', '>', '!', '(', ')', '[', ']', '.', ','];
const space = /\s*/y;
const number = /-?\d+(?:\.\d+)?/y;
const name = /[A-Za-z_][A-Za-z0-9_-]*/y;
/** Quotes of either kind; a quote is written twice to be part of the text. */
const quoted = /'((?:[^']|'')*)'|"((?:[^"]|"")*)"/y;

/** The last one is the end. Throws ExpressionError. */
export function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  let at = matched(space, text, 0).length;
  while (at < text.length) {
    const token = tokenAt(text, at);
    found.push(token);
    at += token.text.length;
    at += matched(space, text, at).length;
  }
  return [...found, { kind: 'end', text: 'the end', at }];
}

function tokenAt(text: string, at: number): Token {
  const operator = operators.find((one) => text.startsWith(one, at));
  const digits = matched(number, text, at);
  if (digits !== '') return { kind: 'number', text: digits, at, value: Number(digits) };
  if (operator !== undefined) return { kind: 'operator', text: operator, at };
  const word = matched(name, text, at);
  if (word !== '') return { kind: 'name', text: word, at };
  const string = matched(quoted, text, at);
  if (string !== '') {
    const quote = string[0] ?? '';
    return { kind: 'string', text: string, at, value: string.slice(1, -1).replaceAll(quote + quote, quote) };
  }
  const [character = ''] = Array.from(text.slice(at, at + 2));
  if (character === "'" || character === '"')
    throw new ExpressionError(`the text that ${character} begins does not end`, at);
  if (character === '=') throw new ExpressionError('to compare write ==', at);
  throw new ExpressionError(`${JSON.stringify(character)} has no meaning here`, at);
}

function matched(form: RegExp, text: string, at: number): string {
  form.lastIndex = at;
  return form.exec(text)?.[0] ?? '';
}
