/** Syntax tree of a template. `offset`: in the text, for messages. */
interface At {
  readonly offset: number;
}

export type Literal =
  | ({ readonly type: 'bool'; readonly value: boolean } & At)
  | ({ readonly type: 'number'; readonly value: bigint | number; readonly text: string } & At)
  | ({ readonly type: 'string'; readonly value: string; readonly text: string } & At)
  | ({ readonly type: 'nil' } & At);

export type Operand =
  | Literal
  | ({ readonly type: 'dot' } & At)
  | ({ readonly type: 'field'; readonly path: readonly string[] } & At)
  | ({ readonly type: 'variable'; readonly name: string; readonly path: readonly string[] } & At)
  | ({ readonly type: 'function'; readonly name: string } & At)
  | ({ readonly type: 'chain'; readonly of: Operand; readonly path: readonly string[] } & At)
  | Pipeline;

/** First operand and its arguments. */
export interface Command extends At {
  readonly type: 'command';
  readonly operands: readonly [Operand, ...Operand[]];
}

export interface Pipeline extends At {
  readonly type: 'pipeline';
  /** Variables that it sets, with their `$`. */
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

export interface Branches {
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[] | null;
}

/** `end`: just behind its last token. */
export type Node =
  | ({ readonly type: 'text'; readonly text: string } & At)
  | ({ readonly type: 'action'; readonly pipeline: Pipeline } & At)
  | ({ readonly type: 'if' | 'with' | 'range' } & Branches & At)
  | ({ readonly type: 'break' | 'continue' } & At);

/** The node as the template's author could have written it; Go's messages quote it. */
export function sourceOf(node: Operand | Command): string {
  switch (node.type) {
    case 'bool':
      return String(node.value);
    case 'number':
    case 'string':
      return node.text;
    case 'nil':
      return 'nil';
    case 'dot':
      return '.';
    case 'field':
      return dotted(node.path);
    case 'variable':
      return `${node.name}${dotted(node.path)}`;
    case 'function':
      return node.name;
    case 'chain':
      return `${nested(node.of)}${dotted(node.path)}`;
    case 'command':
      return node.operands.map(nested).join(' ');
    case 'pipeline': {
      const variables = node.variables.join(', ');
      const sets = variables === '' ? '' : `${variables} ${node.isAssignment ? '=' : ':='} `;
      return sets + node.commands.map(sourceOf).join(' | ');
    }
  }
}

function nested(operand: Operand): string {
  return operand.type === 'pipeline' ? `(${sourceOf(operand)})` : sourceOf(operand);
}

function dotted(path: readonly string[]): string {
  return path.map((name) => `.${name}`).join('');
}
