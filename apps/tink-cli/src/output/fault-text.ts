import type { Fault } from '../api-errors';
import { paint, plain, type Screen } from './screen';

/** A document as the user knows it: its name and its text. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** Each fault with the line that it is in: `install.yaml:7:12: tasks[0]…`, the line, and a mark below the place. */
export async function faultLines(faults: readonly Fault[], source: Source, screen: Screen): Promise<readonly string[]> {
  const placed = faults.some(({ line }) => line === undefined) ? await locate(faults, source.text) : faults;
  const lines = source.text.split(/\r?\n/);
  return placed.flatMap((fault) => {
    const { path, message, line, column } = fault;
    const where = [source.name, line, line === undefined ? undefined : column].filter((part) => part !== undefined);
    const head = `${where.join(':')}: ${path === '' ? '' : `${path}: `}${message}`;
    const text = line === undefined ? undefined : lines[line - 1];
    if (line === undefined || text === undefined) return [head];
    return [head, ...excerpt(text, line, column, screen)];
  });
}

function excerpt(text: string, line: number, column: number | undefined, screen: Screen): readonly string[] {
  const gutter = `${String(line).padStart(5)} | `;
  // A long line is cut around the place, not after it.
  const from = column !== undefined && column > 100 ? column - 40 : 0;
  const shown = plain(text.slice(from, from + 140));
  const mark =
    column === undefined ? [] : [`${' '.repeat(5)} | ${' '.repeat(column - 1 - from)}${paint(screen, 'red', '^')}`];
  return [`${paint(screen, 'dim', gutter)}${shown}`, ...mark];
}

/** Finds faults that only name a path, such as `network.interfaces[0].dhcp.mac`, in the text (JSON is YAML). */
async function locate(faults: readonly Fault[], text: string): Promise<readonly Fault[]> {
  const { LineCounter, parseDocument, isNode, isCollection, isPair } = await import('yaml');
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const offsetOf = (path: string): number | undefined => {
    let node: unknown = document.contents;
    const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
    for (const step of steps) {
      if (!isCollection(node)) break;
      const index = /^\d+$/.test(step) ? Number(step) : undefined;
      const pair = node.items.find((item) => isPair(item) && String(item.key) === step);
      const next: unknown = index !== undefined && !pair ? node.items[index] : isPair(pair) ? pair.value : undefined;
      // A member that is missing: the place is what should have had it.
      if (next === undefined || next === null) break;
      node = next;
    }
    return isNode(node) ? node.range?.[0] : undefined;
  };
  return faults.map((fault) => {
    const offset = fault.line === undefined && fault.path !== '' ? offsetOf(fault.path) : undefined;
    if (offset === undefined) return fault;
    const { line, col } = counter.linePos(offset);
    return { ...fault, line, column: col };
  });
}
