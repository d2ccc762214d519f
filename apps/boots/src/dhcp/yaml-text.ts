import type { Fault } from '@tinkerbell/domain';
import { type Document, isCollection, isNode, isPair, LineCounter, parseDocument } from 'yaml';

/** A file's text as data, with the place of everything in it. */
export interface YamlText {
  readonly value: unknown;
  /** What makes it no YAML. */
  readonly faults: readonly PlacedFault[];
  /** `subnets[0].router` → the line and column of its value, or of what should have had it. */
  place(path: string): Place;
}

export interface Place {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export type PlacedFault = Fault & Place;

export function readYaml(text: string): YamlText {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  return {
    value: document.errors.length > 0 ? undefined : document.toJS(),
    faults: document.errors.map(({ message, pos: [offset] }) => ({ path: '', message, ...placeAt(offset) })),
    place: (path) => placeAt(offsetOf(path, document)),
  };
}

function offsetOf(path: string, { contents }: Document): number {
  let node: unknown = contents;
  for (const step of path.split(/[.[\]]+/).filter((part) => part !== '')) {
    if (!isCollection(node)) break;
    const pair = node.items.find((item) => isPair(item) && String(item.key) === step);
    const next: unknown = isPair(pair) ? (pair.value ?? pair.key) : node.items[Number(step)];
    if (next === undefined || next === null) break;
    node = next;
  }
  return (isNode(node) && node.range?.[0]) || 0;
}
