import type { TemplateFunctions } from '../functions/function';
import { refusedFunctions } from '../functions/refused-functions';
import { nearest } from '@tinkerbell/domain';
import { lex, type LexOptions, type Token, type TokenType } from './lexer';
import { numberOf, quote, unquote } from './literals';
import { sourceOf, type Branches, type Command, type Node, type Operand, type Pipeline } from './nodes';
import { syntaxError } from './template-error';

/** As deep as blocks and parentheses may nest. */
const maxDepth = 100;
const operandTypes: readonly TokenType[] = [
  'bool',
  'char-constant',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'raw-string',
  'string',
  'variable',
  'left-paren',
];
const literals: readonly Operand['type'][] = ['bool', 'dot', 'nil', 'number', 'string'];

type Stop = 'end' | 'else' | 'else-if' | 'else-with' | 'eof';

/** Go's text/template with one template only. Throws TemplateError at the first thing that is wrong. */
export function parse(text: string, functions: TemplateFunctions, options: LexOptions = {}): readonly Node[] {
  return new Parser(text, functions, options).run();
}

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private variables: string[] = ['$'];
  private ranges = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly functions: TemplateFunctions,
    options: LexOptions,
  ) {
    this.tokens = lex(text, options).filter(({ type }) => type !== 'comment');
  }

  run(): readonly Node[] {
    const { nodes, stop, token } = this.list();
    if (stop !== 'eof') throw this.error(token, `unexpected {{${stop === 'end' ? 'end' : 'else'}}}`);
    return nodes;
  }

  private list(): { readonly nodes: readonly Node[]; readonly stop: Stop; readonly token: Token } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.next();
      if (token.type === 'eof') return { nodes, stop: 'eof', token };
      if (token.type === 'text') {
        nodes.push({ type: 'text', text: token.value, offset: token.offset });
        continue;
      }
      const word = this.skipSpace();
      if (word.type !== 'keyword') {
        const pipeline = this.pipeline('command', 'right-delim');
        nodes.push({ type: 'action', pipeline, offset: word.offset });
        continue;
      }
      this.at++;
      if (word.value === 'end') {
        this.expect('right-delim', 'end');
        return { nodes, stop: 'end', token: word };
      }
      if (word.value === 'else') return { nodes, stop: this.elseStop(), token: word };
      nodes.push(this.control(word));
    }
  }

  /** After `else`; the `if` or `with` that may follow stays to be read. */
  private elseStop(): Stop {
    const token = this.skipSpace();
    if (token.type === 'keyword' && (token.value === 'if' || token.value === 'with')) return `else-${token.value}`;
    this.expect('right-delim', 'else');
    return 'else';
  }

  private control(word: Token): Node {
    switch (word.value) {
      case 'if':
      case 'with':
      case 'range':
        return this.branches(word, word.value);
      case 'break':
      case 'continue': {
        const token = this.next(true);
        if (token.type !== 'right-delim') throw this.unexpected(token, `{{${word.value}}}`);
        if (this.ranges === 0) throw this.error(word, `{{${word.value}}} outside {{range}}`);
        return { type: word.value, offset: word.offset };
      }
      default:
        throw this.error(word, `{{${word.value}}} is not supported: a workflow template is one text`);
    }
  }

  private branches(word: Token, type: 'if' | 'with' | 'range'): Node {
    if (++this.depth > maxDepth) throw this.error(word, `nested deeper than ${maxDepth}`);
    const inScope = this.variables.length;
    const pipeline = this.pipeline(type, 'right-delim');
    if (type === 'range') this.ranges++;
    const body = this.list();
    if (type === 'range') this.ranges--;
    const otherwise = this.otherwise(type, body.stop, body.token);
    this.variables.length = inScope;
    this.depth--;
    const parts: Branches = { pipeline, body: body.nodes, otherwise };
    return { type, ...parts, offset: pipeline.offset };
  }

  private otherwise(type: 'if' | 'with' | 'range', stop: Stop, token: Token): readonly Node[] | null {
    if (stop === 'end') return null;
    if (stop === 'eof') throw this.error(token, 'unexpected EOF');
    if (stop === 'else-if' || stop === 'else-with') {
      const word = this.next(true);
      const next = stop === 'else-if' ? 'if' : 'with';
      if (next !== type) throw this.unexpected(word, 'input');
      return [this.branches(word, next)];
    }
    const rest = this.list();
    if (rest.stop === 'eof') throw this.error(rest.token, 'unexpected EOF');
    if (rest.stop !== 'end') throw this.error(rest.token, 'expected end; found {{else}}');
    return rest.nodes;
  }

  private pipeline(context: string, end: TokenType): Pipeline {
    const { offset } = this.skipSpace();
    const { variables, isAssignment } = this.declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.next(true);
      if (token.type === end) break;
      if (!operandTypes.includes(token.type)) throw this.unexpected(token, context);
      this.at--;
      commands.push(this.command());
    }
    if (commands.length === 0) throw this.error(this.tokens[this.at - 1], `missing value for ${context}`);
    const stage = commands.findIndex(({ operands: [first] }, i) => i > 0 && literals.includes(first.type));
    if (stage > 0) throw this.error(this.tokens[this.at - 1], `non executable command in pipeline stage ${stage + 1}`);
    return { type: 'pipeline', variables, isAssignment, commands, offset };
  }

  /** `$x :=`, `$x =`, and in a range `$i, $x :=`. */
  private declarations(context: string): { readonly variables: readonly string[]; readonly isAssignment: boolean } {
    const variables: string[] = [];
    for (;;) {
      const before = this.at;
      const variable = this.skipSpace();
      if (variable.type !== 'variable') break;
      this.at++;
      const next = this.skipSpace();
      if (next.type === 'assign' || next.type === 'declare') {
        this.at++;
        variables.push(variable.value);
        if (next.type === 'assign') variables.forEach((name) => this.requireVariable(name, variable));
        this.variables.push(...variables);
        return { variables, isAssignment: next.type === 'assign' };
      }
      if (next.type !== 'char' || next.value !== ',') {
        this.at = before;
        break;
      }
      if (context !== 'range' || variables.length > 0) throw this.error(next, `too many declarations in ${context}`);
      this.at++;
      variables.push(variable.value);
      if (this.skipSpace().type !== 'variable') throw this.error(next, 'range can only initialize variables');
    }
    return { variables: [], isAssignment: false };
  }

  private command(): Command {
    const { offset } = this.skipSpace();
    const operands: Operand[] = [];
    for (;;) {
      this.skipSpace();
      const operand = this.operand();
      if (operand) operands.push(operand);
      const token = this.next();
      if (token.type === 'space') continue;
      if (token.type === 'right-delim' || token.type === 'right-paren') this.at--;
      else if (token.type !== 'pipe') throw this.unexpected(token, 'operand');
      break;
    }
    const [first, ...rest] = operands;
    if (!first) throw this.error(this.tokens[this.at], 'empty command');
    return { type: 'command', operands: [first, ...rest], offset };
  }

  private operand(): Operand | undefined {
    const term = this.term();
    if (!term) return undefined;
    const path: string[] = [];
    const { offset } = this.tokens[this.at] ?? term;
    for (let token = this.tokens[this.at]; token?.type === 'field'; token = this.tokens[++this.at]) {
      path.push(token.value.slice(1));
    }
    if (path.length === 0) return term;
    if (term.type === 'field' || term.type === 'variable') return { ...term, path: [...term.path, ...path], offset };
    if (literals.includes(term.type)) {
      throw this.error(this.tokens[this.at], `unexpected . after term ${quote(sourceOf(term))}`);
    }
    return { type: 'chain', of: term, path, offset };
  }

  private term(): Operand | undefined {
    const token = this.next(true);
    const { value, offset } = token;
    switch (token.type) {
      case 'identifier':
        if (!this.functions.has(value)) throw this.unknownFunction(token);
        return { type: 'function', name: value, offset };
      case 'dot':
      case 'nil':
        return { type: token.type, offset };
      case 'bool':
        return { type: 'bool', value: value === 'true', offset };
      case 'variable':
        this.requireVariable(value, token);
        return { type: 'variable', name: value, path: [], offset };
      case 'field':
        return { type: 'field', path: [value.slice(1)], offset };
      case 'number':
      case 'char-constant':
      case 'string':
      case 'raw-string':
        return this.literal(token);
      case 'left-paren': {
        if (++this.depth > maxDepth) throw this.error(token, 'max expression depth exceeded');
        const pipeline = this.pipeline('parenthesized pipeline', 'right-paren');
        this.depth--;
        return pipeline;
      }
      default:
        this.at--;
        return undefined;
    }
  }

  private literal(token: Token): Operand {
    const { value: text, offset } = token;
    if (token.type === 'raw-string') {
      return { type: 'string', value: text.slice(1, -1).replaceAll('\r', ''), text, offset };
    }
    if (token.type === 'number') {
      const value = numberOf(text);
      const fault = /^[+-]?\d+$/.test(text) ? 'integer overflow' : 'illegal number syntax';
      if (value === undefined) throw this.error(token, `${fault}: ${quote(text)}`);
      return { type: 'number', value, text, offset };
    }
    const isString = token.type === 'string';
    const value = unquote(text.slice(1, -1), isString ? '"' : "'");
    if (isString && value !== undefined) return { type: 'string', value, text, offset };
    const [character, ...more] = Array.from(value ?? '');
    if (isString || character === undefined || more.length > 0) {
      const isEmpty = isString || character === undefined;
      throw this.error(token, isEmpty ? 'invalid syntax' : `malformed character constant: ${text}`);
    }
    return { type: 'number', value: BigInt(character.codePointAt(0) ?? 0), text, offset };
  }

  private unknownFunction(token: Token): Error {
    const reason = refusedFunctions.get(token.value);
    const near =
      reason === undefined && token.value.length > 2 ? nearest(token.value, [...this.functions.keys()]) : undefined;
    const hint = reason === undefined ? (near === undefined ? '' : `; did you mean ${near}?`) : `: ${reason}`;
    return this.error(token, `function ${quote(token.value)} not defined${hint}`);
  }

  private requireVariable(name: string, token: Token): void {
    if (!this.variables.includes(name)) throw this.error(token, `undefined variable ${quote(name)}`);
  }

  private next(skipsSpace = false): Token {
    if (skipsSpace) this.skipSpace();
    const token = this.tokens[this.at++];
    if (!token) throw this.error(undefined, 'unexpected EOF');
    return token;
  }

  /** The next token that is no space, still to be read. */
  private skipSpace(): Token {
    let token = this.tokens[this.at];
    while (token?.type === 'space') token = this.tokens[++this.at];
    if (!token) throw this.error(undefined, 'unexpected EOF');
    return token;
  }

  private expect(type: TokenType, context: string): void {
    const token = this.next(true);
    if (token.type !== type) throw this.unexpected(token, context);
  }

  private unexpected(token: Token, context: string): Error {
    const isWord = token.type === 'keyword' || token.type === 'dot' || token.type === 'nil';
    const shown = token.type === 'eof' ? 'EOF' : isWord ? `<${token.value}>` : quote(token.value);
    return this.error(token, `unexpected ${shown} in ${context}`);
  }

  private error(token: Token | undefined, message: string): Error {
    return syntaxError(this.text, token?.offset ?? this.text.length, message);
  }
}
