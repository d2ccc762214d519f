import { syntaxError } from './template-error';

export type TokenType =
  | 'text'
  | 'comment'
  | 'left-delim'
  | 'right-delim'
  | 'space'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'char'
  | 'left-paren'
  | 'right-paren'
  | 'string'
  | 'raw-string'
  | 'char-constant'
  | 'number'
  | 'bool'
  | 'nil'
  | 'dot'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'eof';

export interface Token {
  readonly type: TokenType;
  /** As written; of a text without what trim markers took. */
  readonly value: string;
  readonly offset: number;
  /** Just behind the token in the source. */
  readonly end: number;
}

const keywords = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);
const leftDelim = '{{';
const rightDelim = '}}';
const spaces = ' \t\r\n';
const word = /[\p{L}\p{Nd}_]*/uy;
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
const quoted = /"(?:[^"\\\n]|\\[^\n])*"/suy;
const rawQuoted = /`[^`]*`/y;
const charConstant = /'(?:[^'\\\n]|\\[^\n])*'/suy;

export interface LexOptions {
  /** `${{` and what follows it up to `}}` is text. */
  readonly keepsExpressions?: boolean;
}

/** Text → tokens of Go's text/template, delimiters `{{` and `}}`. Throws TemplateError. */
export function lex(text: string, options: LexOptions = {}): readonly Token[] {
  return new Lexer(text, options.keepsExpressions ?? false).run();
}

class Lexer {
  private readonly tokens: Token[] = [];
  private at = 0;
  private parens = 0;

  constructor(
    private readonly text: string,
    private readonly keepsExpressions: boolean,
  ) {}

  run(): readonly Token[] {
    for (;;) {
      const next = this.nextDelim(this.at);
      const end = next < 0 ? this.text.length : next;
      const trims = next >= 0 && this.hasLeftTrim(next + 2);
      const raw = this.text.slice(this.at, end);
      const value = trims ? raw.replace(/[ \t\r\n]+$/, '') : raw;
      if (value !== '') this.tokens.push({ type: 'text', value, offset: this.at, end: this.at + value.length });
      if (next < 0) break;
      this.at = next;
      this.delimited(trims);
    }
    this.push('eof', 0);
    return this.tokens;
  }

  private nextDelim(from: number): number {
    const next = this.text.indexOf(leftDelim, from);
    if (next <= 0 || !this.keepsExpressions || this.text[next - 1] !== '$') return next;
    const close = this.text.indexOf(rightDelim, next);
    return close < 0 ? -1 : this.nextDelim(close + rightDelim.length);
  }

  private delimited(trims: boolean): void {
    const start = this.at;
    const inner = start + (trims ? 4 : 2);
    if (this.text.startsWith('/*', inner)) return this.comment(start, inner);
    this.tokens.push({ type: 'left-delim', value: leftDelim, offset: start, end: inner });
    this.at = inner;
    this.parens = 0;
    while (!this.rightDelim()) this.insideAction();
  }

  private comment(start: number, open: number): void {
    const close = this.text.indexOf('*/', open + 2);
    if (close < 0) throw this.error(open, 'unclosed comment');
    this.at = close + 2;
    const trims = this.hasRightTrim(this.at);
    const end = this.at + (trims ? 2 : 0);
    if (!this.text.startsWith(rightDelim, end)) throw this.error(open, 'comment ends before closing delimiter');
    this.tokens.push({ type: 'comment', value: this.text.slice(open, close + 2), offset: start, end: end + 2 });
    this.at = end + 2;
    if (trims) this.skipSpaces();
  }

  /** True when the action ends here. */
  private rightDelim(): boolean {
    const trims = this.hasRightTrim(this.at);
    const start = this.at + (trims ? 2 : 0);
    if (!this.text.startsWith(rightDelim, start)) return false;
    if (this.parens > 0) throw this.error(this.at, 'unclosed left paren');
    this.tokens.push({ type: 'right-delim', value: rightDelim, offset: start, end: start + 2 });
    this.at = start + 2;
    if (trims) this.skipSpaces();
    return true;
  }

  private insideAction(): void {
    const { text, at } = this;
    const c = text[at];
    if (c === undefined) throw this.error(at, 'unclosed action');
    if (spaces.includes(c)) return this.space();
    switch (c) {
      case '=':
        return this.push('assign', 1);
      case ':':
        if (text[at + 1] !== '=') throw this.error(at, 'expected :=');
        return this.push('declare', 2);
      case '|':
        return this.push('pipe', 1);
      case '"':
        return this.match('string', quoted, 'unterminated quoted string');
      case '`':
        return this.match('raw-string', rawQuoted, 'unterminated raw quoted string');
      case "'":
        return this.match('char-constant', charConstant, 'unterminated character constant');
      case '$':
        return this.fieldOrVariable('variable');
      case '(':
        this.parens++;
        return this.push('left-paren', 1);
      case ')':
        if (--this.parens < 0) throw this.error(at, 'unexpected right paren');
        return this.push('right-paren', 1);
    }
    if (c === '.' && !/[0-9]/.test(text[at + 1] ?? '')) return this.fieldOrVariable('field');
    if (/[0-9.+-]/.test(c)) return this.number();
    if (this.wordAt(at) !== '') return this.identifier();
    if (c > ' ' && c < '\x7f') return this.push('char', 1);
    throw this.error(at, `unrecognized character in action: ${describe(text, at)}`);
  }

  private space(): void {
    const start = this.at;
    while (spaces.includes(this.text[this.at] ?? 'x')) this.at++;
    // A space before `-}}` belongs to the delimiter.
    if (this.hasRightTrim(this.at - 1) && this.text.startsWith(rightDelim, this.at + 1)) this.at--;
    if (this.at === start) return;
    this.tokens.push({ type: 'space', value: this.text.slice(start, this.at), offset: start, end: this.at });
  }

  private identifier(): void {
    const value = this.wordAt(this.at);
    this.requireTerminator(this.at + value.length);
    const type = keywords.has(value)
      ? 'keyword'
      : value === 'nil'
        ? 'nil'
        : value === 'true' || value === 'false'
          ? 'bool'
          : 'identifier';
    this.push(type, value.length);
  }

  private fieldOrVariable(type: 'field' | 'variable'): void {
    const length = 1 + this.wordAt(this.at + 1).length;
    this.requireTerminator(this.at + length);
    this.push(type === 'field' && length === 1 ? 'dot' : type, length);
  }

  private number(): void {
    number.lastIndex = this.at;
    const value = number.exec(this.text)?.[0] ?? '';
    const rest = this.wordAt(this.at + value.length);
    const next = this.text[this.at + value.length];
    if (rest !== '' || next === '+' || next === '-' || value.endsWith('i')) {
      const bad = value + (rest === '' ? (next === '+' || next === '-' ? next : '') : Array.from(rest)[0]);
      throw this.error(this.at, `bad number syntax: ${JSON.stringify(bad)}`);
    }
    this.push('number', value.length);
  }

  private match(type: TokenType, form: RegExp, failure: string): void {
    form.lastIndex = this.at;
    const value = form.exec(this.text)?.[0];
    if (value === undefined) throw this.error(this.at, failure);
    this.push(type, value.length);
  }

  private wordAt(at: number): string {
    word.lastIndex = at;
    return word.exec(this.text)?.[0] ?? '';
  }

  private requireTerminator(at: number): void {
    const next = this.text[at];
    if (next === undefined || `${spaces}.,|:)(`.includes(next) || this.text.startsWith(rightDelim, at)) return;
    throw this.error(this.at, `bad character ${describe(this.text, at)}`);
  }

  private push(type: TokenType, length: number): void {
    const value = type === 'eof' ? 'EOF' : this.text.slice(this.at, this.at + length);
    this.tokens.push({ type, value, offset: this.at, end: this.at + length });
    this.at += length;
  }

  private skipSpaces(): void {
    while (spaces.includes(this.text[this.at] ?? 'x')) this.at++;
  }

  private hasLeftTrim(at: number): boolean {
    return this.text[at] === '-' && spaces.includes(this.text[at + 1] ?? 'x');
  }

  private hasRightTrim(at: number): boolean {
    return spaces.includes(this.text[at] ?? 'x') && this.text[at + 1] === '-';
  }

  private error(offset: number, message: string): Error {
    return syntaxError(this.text, offset, message);
  }
}

/** `U+0040 '@'` */
function describe(text: string, at: number): string {
  const code = text.codePointAt(at) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, '0');
  return code < 0x20 || code === 0x7f ? `U+${hex}` : `U+${hex} '${String.fromCodePoint(code)}'`;
}
