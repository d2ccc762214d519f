/** A word, a text in quotes (its bytes as characters) or one of `{ } ; , =`. */
export interface Word {
  readonly kind: 'word' | 'text' | 'sign';
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export class UnendedTextError extends Error {
  constructor(readonly line: number) {
    super('a text in quotes has no end');
  }
}

const escapes: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n', b: '\b' };
const signs = '{};,=';

/** The words of a file of ISC dhcpd, without its comments. Throws UnendedTextError. */
export function* wordsOf(text: string): Generator<Word> {
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const sign = text.charAt(at);
    if (sign === '\n') line++;
    if (sign <= ' ') at++;
    else if (sign === '#') at = endOf(text, '\n', at);
    else if (signs.includes(sign)) {
      yield { kind: 'sign', text: sign, line };
      at++;
    } else if (sign === '"') {
      const quoted = readText(text, at + 1);
      if (!quoted) throw new UnendedTextError(line);
      yield { kind: 'text', text: quoted.text, line };
      line += quoted.lines;
      at = quoted.end;
    } else {
      const end = endOfWord(text, at);
      yield { kind: 'word', text: text.slice(at, end), line };
      at = end;
    }
  }
}

function endOf(text: string, sign: string, from: number): number {
  const end = text.indexOf(sign, from);
  return end < 0 ? text.length : end;
}

function endOfWord(text: string, from: number): number {
  let end = from + 1;
  while (end < text.length) {
    const sign = text.charAt(end);
    if (sign <= ' ' || sign === '"' || sign === '#' || signs.includes(sign)) break;
    end++;
  }
  return end;
}

/** After the opening quote. A backslash stands before three octal digits, `x` and two hex ones, or what is meant itself. */
function readText(text: string, from: number) {
  const parts: string[] = [];
  let lines = 0;
  let at = from;
  for (;;) {
    const next = nextOf(text, at);
    parts.push(text.slice(at, next));
    if (next >= text.length) return undefined;
    if (text.charAt(next) === '"') return { text: parts.join(''), end: next + 1, lines };
    if (text.charAt(next) === '\n') {
      lines++;
      parts.push('\n');
      at = next + 1;
      continue;
    }
    const [whole = '', octal, hex, plain = ''] = escape(text, next);
    if (whole === '') return undefined;
    const code = octal === undefined ? Number.parseInt(hex ?? '', 16) : Number.parseInt(octal, 8);
    parts.push(Number.isNaN(code) ? (escapes[plain] ?? plain) : String.fromCharCode(code));
    at = next + whole.length;
  }
}

function escape(text: string, at: number): readonly (string | undefined)[] {
  return /^\\(?:([0-3][0-7]{2})|x([0-9a-f]{2})|([^]))/i.exec(text.slice(at, at + 4)) ?? [];
}

function nextOf(text: string, from: number): number {
  let at = from;
  while (at < text.length && !'"\\\n'.includes(text.charAt(at))) at++;
  return at;
}
