import { measure, type Kind, type TemplateFunctions } from '../functions/function';
import { textOf } from './format';
import { sourceOf, type Branches, type Command, type Node, type Operand, type Pipeline } from './nodes';
import { executionError } from './template-error';
import { entryOf, FunctionError, isList, isMap, isTrue, sortedKeys, typeName, type Value } from './values';

/** Steps that one rendering may take: nodes walked and commands run. */
export const maxSteps = 100_000;
/** Bytes of UTF-8 that one rendering may write. */
export const maxOutputBytes = 262_144;

/** `boxed`: taken out of a map or a list, where Go knows its type as interface {} only. */
interface Ref {
  readonly value: Value;
  readonly boxed: boolean;
}
interface Variable {
  readonly name: string;
  ref: Ref;
}
type Flow = 'on' | 'break' | 'continue';

export interface Executed {
  readonly output: string;
  /** Where in the template a character of the output comes from: itself, or the action that wrote it. */
  sourceOf(offset: number): number;
}

/** Runs a parsed template over data; a key that the data lacks is an error (Go's `missingkey=error`). Throws TemplateError. */
export function execute(
  nodes: readonly Node[],
  data: Value,
  text: string,
  functions: TemplateFunctions,
  missing: (key: string) => string = () => '',
): Executed {
  const evaluator = new Evaluator(text, functions, data, missing);
  evaluator.walk(nodes, { value: data, boxed: false });
  return { output: evaluator.output, sourceOf: (offset) => evaluator.sourceOf(offset) };
}

class Evaluator {
  private readonly parts: string[] = [];
  private readonly origins: { readonly at: number; readonly source: number; readonly isText: boolean }[] = [];
  private length = 0;
  private bytes = 0;
  private steps = 0;
  private readonly variables: Variable[];

  constructor(
    private readonly text: string,
    private readonly functions: TemplateFunctions,
    private readonly data: Value,
    private readonly missing: (key: string) => string,
  ) {
    this.variables = [{ name: '$', ref: { value: data, boxed: false } }];
  }

  get output(): string {
    return this.parts.join('');
  }

  sourceOf(offset: number): number {
    const origin = this.origins.findLast(({ at }) => at <= offset);
    return origin ? origin.source + (origin.isText ? offset - origin.at : 0) : 0;
  }

  walk(nodes: readonly Node[], dot: Ref): Flow {
    for (const node of nodes) {
      this.step(node);
      const flow = this.walkOne(node, dot);
      if (flow !== 'on') return flow;
    }
    return 'on';
  }

  private walkOne(node: Node, dot: Ref): Flow {
    switch (node.type) {
      case 'text':
        this.write(node.text, node);
        return 'on';
      case 'action': {
        const { value } = this.pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) {
          this.measured(value, node.pipeline);
          this.write(value === null ? '<no value>' : textOf(value), node.pipeline);
        }
        return 'on';
      }
      case 'break':
      case 'continue':
        return node.type;
      default: {
        const scope = this.variables.length;
        const flow = node.type === 'range' ? this.range(node, dot) : this.branch(node, node.type === 'with', dot);
        this.variables.length = scope;
        return flow;
      }
    }
  }

  private branch({ pipeline, body, otherwise }: Branches, setsDot: boolean, dot: Ref): Flow {
    const ref = this.pipeline(pipeline, dot);
    if (isTrue(ref.value)) return this.walk(body, setsDot ? ref : dot);
    return otherwise ? this.walk(otherwise, dot) : 'on';
  }

  private range(node: Branches & { readonly offset: number }, dot: Ref): Flow {
    const { pipeline, body, otherwise } = node;
    const { value } = this.pipeline(pipeline, dot);
    let ran = false;
    for (const [key, item] of this.items(value, pipeline)) {
      ran = true;
      const scope = this.variables.length;
      this.setLoopVariables(pipeline, key, item);
      const flow = this.walk(body, item);
      this.variables.length = scope;
      if (flow === 'break') break;
    }
    return ran || !otherwise ? 'on' : this.walk(otherwise, dot);
  }

  private *items(value: Value, pipeline: Pipeline): Generator<readonly [Value, Ref]> {
    if (value === null) return;
    if (isList(value)) {
      for (const [i, item] of value.entries()) yield [BigInt(i), { value: item, boxed: true }];
    } else if (isMap(value)) {
      for (const key of sortedKeys(value)) yield [key, { value: entryOf(value, key) ?? null, boxed: true }];
    } else if (typeof value === 'bigint') {
      if (pipeline.variables.length > 1) {
        throw this.error(pipeline, `can't use ${value} to iterate over more than one variable`);
      }
      for (let i = 0n; i < value; i++) {
        this.step(pipeline);
        yield [null, { value: i, boxed: false }];
      }
    } else {
      throw this.error(pipeline, `range can't iterate over ${textOf(value)}`);
    }
  }

  /** The pipeline has set its variables to the whole; each turn sets them to its item, and the first to its index when there are two. */
  private setLoopVariables({ variables: [first, second] }: Pipeline, key: Value, item: Ref): void {
    if (first !== undefined) this.assign(first, second === undefined ? item : { value: key, boxed: false });
    if (second !== undefined) this.assign(second, item);
  }

  private assign(name: string, ref: Ref): void {
    const variable = this.variables.findLast((known) => known.name === name);
    if (variable) variable.ref = ref;
  }

  private pipeline(node: Pipeline, dot: Ref): Ref {
    let ref: Ref | undefined;
    for (const command of node.commands) {
      this.step(command);
      const { value } = this.command(command, dot, ref);
      ref = { value, boxed: false };
    }
    const result = ref ?? { value: null, boxed: false };
    for (const name of node.variables) {
      if (node.isAssignment) this.assign(name, result);
      else this.variables.push({ name, ref: result });
    }
    return result;
  }

  /** `final`: what the command before handed on. */
  private command(command: Command, dot: Ref, final: Ref | undefined): Ref {
    const [first, ...args] = command.operands;
    const hasArgs = args.length > 0 || final !== undefined;
    if (first.type === 'function') return this.call(first, args, dot, final, command);
    if (first.type === 'nil')
      throw this.error(first, hasArgs ? "can't give argument to non-function nil" : 'nil is not a command');
    if (
      hasArgs &&
      (first.type === 'field' || first.type === 'chain' || (first.type === 'variable' && first.path.length > 0))
    ) {
      return this.operand(first, dot, true);
    }
    if (hasArgs) throw this.error(first, `can't give argument to non-function ${sourceOf(first)}`);
    return this.operand(first, dot, false);
  }

  private operand(node: Operand, dot: Ref, hasArgs: boolean): Ref {
    switch (node.type) {
      case 'bool':
      case 'number':
      case 'string':
        return { value: node.value, boxed: false };
      case 'nil':
        return { value: null, boxed: false };
      case 'dot':
        return dot;
      case 'field':
        return this.fields(node, node.path, dot, hasArgs);
      case 'variable': {
        const ref = this.variables.findLast(({ name }) => name === node.name)?.ref;
        if (!ref) throw this.error(node, `undefined variable: ${node.name}`);
        return this.fields(node, node.path, ref, hasArgs);
      }
      case 'chain':
        if (node.of.type === 'nil') throw this.error(node, `indirection through explicit nil in ${sourceOf(node)}`);
        return this.fields(node, node.path, this.operand(node.of, dot, false), hasArgs);
      case 'function':
        return this.call(node, [], dot, undefined, node);
      case 'pipeline':
        return this.pipeline(node, dot);
    }
  }

  private fields(node: Operand, path: readonly string[], from: Ref, hasArgs: boolean): Ref {
    let ref = from;
    path.forEach((name, i) => {
      const { value, boxed } = ref;
      if (value === null) {
        throw this.error(
          node,
          boxed ? `nil pointer evaluating interface {}.${name}` : `nil data; no entry for key "${name}"`,
        );
      }
      if (!isMap(value)) {
        throw this.error(node, `can't evaluate field ${name} in type ${boxed ? 'interface {}' : typeName(value)}`);
      }
      if (hasArgs && i === path.length - 1) throw this.error(node, `${name} is not a method but has arguments`);
      const entry = entryOf(value, name);
      if (entry === undefined) {
        const hint = value === this.data ? this.missing(name) : '';
        throw this.error(node, `map has no entry for key "${name}"${hint}`);
      }
      ref = { value: entry, boxed: true };
    });
    return ref;
  }

  private call(
    node: Extract<Operand, { readonly type: 'function' }>,
    args: readonly Operand[],
    dot: Ref,
    final: Ref | undefined,
    whole: Operand | Command,
  ): Ref {
    const { name } = node;
    const fn = this.functions.get(name);
    if (!fn) throw this.error(node, `"${name}" is not a defined function`);
    const given = args.length + (final ? 1 : 0);
    if (given < fn.min || given > fn.max) {
      const isOpen = fn.max > fn.min;
      const wanted = given < fn.min ? fn.min : fn.max;
      throw this.error(
        node,
        `wrong number of args for ${name}: want ${isOpen ? `at ${given < fn.min ? 'least' : 'most'} ` : ''}${wanted} got ${isOpen ? args.length : given}`,
      );
    }
    if (name === 'and' || name === 'or') return this.shortCircuit(name, args, dot, final);
    const kindOf = (i: number): Kind => fn.takes?.[i] ?? fn.takes?.at(-1) ?? 'any';
    const values = args.map((arg, i) => this.argument(arg, kindOf(i), dot));
    if (final) values.push(this.typed(final, kindOf(values.length), args.at(-1) ?? node));
    try {
      for (const one of values) this.step(node, measure(one));
      const value = fn.call(values);
      this.step(node, measure(value));
      return { value, boxed: name === 'index' && values.length > 1 };
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      throw this.error(whole, `error calling ${name}: ${error.message}`);
    }
  }

  /** The first argument that settles it; the ones behind it are not looked at. */
  private shortCircuit(name: 'and' | 'or', args: readonly Operand[], dot: Ref, final: Ref | undefined): Ref {
    let value: Value = null;
    for (const arg of args) {
      value = this.argument(arg, 'any', dot);
      if (isTrue(value) === (name === 'or')) return { value, boxed: false };
    }
    return { value: final ? final.value : value, boxed: false };
  }

  private argument(node: Operand, kind: Kind, dot: Ref): Value {
    if (kind !== 'any' && node.type === 'nil') {
      if (kind === 'map') return null;
      throw this.error(node, `cannot assign nil to ${goTypes[kind]}`);
    }
    const isConstant = node.type === 'number' || node.type === 'bool' || node.type === 'string';
    if (isConstant && !isOf(node.value, kind, true)) {
      const wanted = kind === 'int' ? 'integer' : kind;
      if (kind !== 'map') throw this.error(node, `expected ${wanted}; found ${sourceOf(node)}`);
      throw this.error(node, `can't handle ${sourceOf(node)} for arg of type ${goTypes[kind]}`);
    }
    return this.typed(this.operand(node, dot, false), kind, node);
  }

  private typed({ value, boxed }: Ref, kind: Kind, node: Operand): Value {
    if (isOf(value, kind, false)) return value;
    const wanted = goTypes[kind];
    if (value === null && !boxed) throw this.error(node, `invalid value; expected ${wanted}`);
    const type = value === null ? 'interface {}' : typeName(value);
    throw this.error(node, `wrong type for value; expected ${wanted}; got ${type}`);
  }

  private write(text: string, node: Node | Operand): void {
    this.bytes += text.length <= maxOutputBytes ? new TextEncoder().encode(text).length : text.length;
    if (this.bytes > maxOutputBytes) throw this.limit(node, `the result is longer than ${maxOutputBytes} bytes`);
    if (text !== '') this.origins.push({ at: this.length, source: node.offset, isText: node.type === 'text' });
    this.length += text.length;
    this.parts.push(text);
  }

  private step(node: Node | Operand | Command, cost = 1): void {
    this.steps += cost;
    if (this.steps > maxSteps) throw this.limit(node, `rendering takes more than ${maxSteps} steps`);
  }

  /** Steps for a value that is about to be printed. */
  private measured(value: Value, node: Pipeline): void {
    try {
      this.step(node, measure(value));
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      throw this.limit(node, error.message);
    }
  }

  private limit({ offset }: { readonly offset: number }, message: string): Error {
    return executionError(this.text, offset, '…', message);
  }

  private error(node: Operand | Command, message: string): Error {
    return executionError(this.text, node.offset, sourceOf(node), message);
  }
}

const goTypes: Readonly<Record<Kind, string>> = {
  any: 'interface {}',
  string: 'string',
  int: 'int',
  float: 'float64',
  bool: 'bool',
  map: 'map[string]interface {}',
};

/** `isConstant`: written into the template, where a whole number is a float too. */
function isOf(value: Value, kind: Kind, isConstant: boolean): boolean {
  switch (kind) {
    case 'any':
      return true;
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'float':
      return typeof value === 'number' || (isConstant && typeof value === 'bigint');
    case 'map':
      return isMap(value);
  }
}
