import type { Json, JsonObject } from '@tinkerbell/events';
import { ExpressionError, tokens, type Token } from './expression-lexer';

/** A condition or a `${{ }}` reference, parsed. docs/templates.md has the language. */
export type Expression =
  | { readonly kind: 'value'; readonly value: Json }
  | {
      readonly kind: 'path';
      readonly root: 'actions' | 'outputs';
      readonly steps: readonly string[];
      readonly at: number;
    }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] };

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

const functions = { contains: 2, startsWith: 2, endsWith: 2, success: 0, failure: 0 } as const;
type FunctionName = keyof typeof functions;

/** Deep enough for people, shallow enough for the stack. */
const maxDepth = 50;
export const maxExpressionLength = 2_000;

/**
 * Text → expression. Roots are `actions` (`actions['task/name'].status`) and `outputs` (`outputs['task/name'].key`). Throws
 * ExpressionError with the place, counted in characters from 0.
 */
export function parseExpression(text: string): Expression {
  if (text.length > maxExpressionLength) {
    throw new ExpressionError(`an expression has at most ${maxExpressionLength} characters, not ${text.length}`, 0);
  }
  return new Parser(tokens(text)).whole();
}

/** The actions that an expression names, each with its place in the text. */
export function referencesOf(expression: Expression): readonly { readonly action: string; readonly at: number }[] {
  switch (expression.kind) {
    case 'value':
      return [];
    case 'path':
      return [{ action: expression.steps[0] ?? '', at: expression.at }];
    case 'not':
      return referencesOf(expression.of);
    case 'call':
      return expression.args.flatMap(referencesOf);
    default:
      return [...referencesOf(expression.left), ...referencesOf(expression.right)];
  }
}

/** What an expression sees. `success`, `failure`: of all that the action needs. */
export interface ExpressionScope {
  /** By id: status, exitCode, attempts, seconds. */
  readonly actions: Readonly<Record<string, JsonObject>>;
  readonly outputs: Readonly<Record<string, JsonObject>>;
  readonly success: boolean;
  readonly failure: boolean;
}

/** Never throws: what is not there is null, and values of different kinds are neither equal nor in any order. */
export function evaluate(expression: Expression, scope: ExpressionScope): Json {
  switch (expression.kind) {
    case 'value':
      return expression.value;
    case 'path':
      return expression.steps.reduce<Json>(member, scope[expression.root] as JsonObject);
    case 'not':
      return !isTruthy(evaluate(expression.of, scope));
    case 'and':
      return isTruthy(evaluate(expression.left, scope)) && isTruthy(evaluate(expression.right, scope));
    case 'or':
      return isTruthy(evaluate(expression.left, scope)) || isTruthy(evaluate(expression.right, scope));
    case 'compare':
      return compare(expression.operator, evaluate(expression.left, scope), evaluate(expression.right, scope));
    case 'call':
      return call(
        expression.name,
        expression.args.map((arg) => evaluate(arg, scope)),
        scope,
      );
  }
}

/** null, false, 0 and '' are not; everything else is. */
export function isTruthy(value: Json): boolean {
  return value !== null && value !== false && value !== 0 && value !== '';
}

function member(value: Json, step: string): Json {
  if (Array.isArray(value)) return /^\d{1,9}$/.test(step) ? ((value[Number(step)] as Json | undefined) ?? null) : null;
  if (typeof value !== 'object' || value === null) return null;
  return Object.hasOwn(value, step) ? ((value as JsonObject)[step] ?? null) : null;
}

function compare(operator: Comparison, left: Json, right: Json): boolean {
  if (operator === '==') return same(left, right);
  if (operator === '!=') return !same(left, right);
  const numbers = typeof left === 'number' && typeof right === 'number';
  if (!numbers && !(typeof left === 'string' && typeof right === 'string')) return false;
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function same(left: Json, right: Json): boolean {
  return typeof left === 'object' && typeof right === 'object'
    ? JSON.stringify(left) === JSON.stringify(right)
    : left === right;
}

function call(name: FunctionName, [first = null, second = null]: readonly Json[], scope: ExpressionScope): Json {
  switch (name) {
    case 'success':
      return scope.success;
    case 'failure':
      return scope.failure;
    case 'contains':
      if (Array.isArray(first)) return first.some((item: Json) => same(item, second));
      return typeof first === 'string' && typeof second === 'string' && first.includes(second);
    case 'startsWith':
      return typeof first === 'string' && typeof second === 'string' && first.startsWith(second);
    case 'endsWith':
      return typeof first === 'string' && typeof second === 'string' && first.endsWith(second);
  }
}

class Parser {
  private next = 0;

  constructor(private readonly all: readonly Token[]) {}

  whole(): Expression {
    const expression = this.or(0);
    const rest = this.peek();
    if (rest.kind !== 'end') throw new ExpressionError(`unexpected ${rest.text}`, rest.at);
    return expression;
  }

  private or(depth: number): Expression {
    return this.chain('||', 'or', () => this.and(depth));
  }

  private and(depth: number): Expression {
    return this.chain('&&', 'and', () => this.comparison(depth));
  }

  private chain(operator: string, kind: 'and' | 'or', operand: () => Expression): Expression {
    let left = operand();
    while (this.take(operator)) left = { kind, left, right: operand() };
    return left;
  }

  private comparison(depth: number): Expression {
    const left = this.unary(depth);
    const { text, at } = this.peek();
    if (!isComparison(text) || this.peek().kind !== 'operator') return left;
    this.next++;
    const right = this.unary(depth);
    if (this.peek().kind === 'operator' && isComparison(this.peek().text)) {
      throw new ExpressionError('comparisons cannot be chained: join two of them with &&', at);
    }
    return { kind: 'compare', operator: text, left, right };
  }

  private unary(depth: number): Expression {
    const { at } = this.peek();
    if (depth > maxDepth) throw new ExpressionError(`nested deeper than ${maxDepth}`, at);
    if (this.take('!')) return { kind: 'not', of: this.unary(depth + 1) };
    if (this.take('(')) {
      const inner = this.or(depth + 1);
      this.expect(')');
      return inner;
    }
    return this.primary(depth);
  }

  private primary(depth: number): Expression {
    const token = this.peek();
    this.next++;
    if (token.kind === 'string' || token.kind === 'number') return { kind: 'value', value: token.value };
    if (token.kind !== 'name') {
      throw new ExpressionError(
        token.kind === 'end' ? 'something is missing at the end' : `unexpected ${token.text}`,
        token.at,
      );
    }
    if (token.text in literals) return { kind: 'value', value: literals[token.text] ?? null };
    if (token.text === 'actions' || token.text === 'outputs') return this.path(token.text, token.at);
    if (Object.hasOwn(functions, token.text)) return this.functionCall(token.text as FunctionName, token.at, depth);
    throw new ExpressionError(
      `there is no ${token.text}: use actions['task/name'], outputs['task/name'] or a text in quotes`,
      token.at,
    );
  }

  private path(root: 'actions' | 'outputs', at: number): Expression {
    const steps: string[] = [];
    for (;;) {
      if (this.take('.')) {
        const step = this.peek();
        if (step.kind !== 'name') throw new ExpressionError('a name has to follow the dot', step.at);
        steps.push(step.text);
        this.next++;
      } else if (this.take('[')) {
        const step = this.peek();
        if (step.kind !== 'string' && step.kind !== 'number') {
          throw new ExpressionError('a text in quotes or a number has to follow [', step.at);
        }
        steps.push(String(step.value));
        this.next++;
        this.expect(']');
      } else break;
    }
    if (steps.length === 0) throw new ExpressionError(`${root} of which action? Write ${root}['task/name']`, at);
    return { kind: 'path', root, steps, at };
  }

  private functionCall(name: FunctionName, at: number, depth: number): Expression {
    this.expect('(');
    const args: Expression[] = [];
    while (!this.take(')')) {
      if (args.length > 0) this.expect(',');
      args.push(this.or(depth + 1));
    }
    const wanted = functions[name];
    if (args.length !== wanted) throw new ExpressionError(`${name} takes ${wanted} arguments, not ${args.length}`, at);
    return { kind: 'call', name, args };
  }

  private peek(): Token {
    return this.all[Math.min(this.next, this.all.length - 1)] ?? { kind: 'end', text: 'the end', at: 0 };
  }

  private take(text: string): boolean {
    const token = this.peek();
    if (token.kind !== 'operator' || token.text !== text) return false;
    this.next++;
    return true;
  }

  private expect(text: string): void {
    const { at, text: found } = this.peek();
    if (!this.take(text)) throw new ExpressionError(`expected ${text}, found ${found}`, at);
  }
}

const literals: Readonly<Record<string, Json>> = Object.assign(Object.create(null), {
  true: true,
  false: false,
  null: null,
});

function isComparison(text: string): text is Comparison {
  return ['==', '!=', '<', '<=', '>', '>='].includes(text);
}
