import { lex, type LexOptions, type Token } from './go-template/lexer';
import type { Node } from './go-template/nodes';
import type { Hole } from './yaml-reader';

/** The text with a plain word of the same length in place of every action that writes something, and nothing in place of the others. */
export function mask(
  text: string,
  nodes: readonly Node[],
  options: LexOptions,
): { readonly masked: string; readonly holes: readonly Hole[]; readonly hasLines: boolean } {
  const writing = new Set(writingIn(nodes));
  let masked = '';
  const holes: Hole[] = [];
  for (const { start, end, writes } of actionsIn(lex(text, options), writing)) {
    masked += text.slice(masked.length, start);
    const inner = text.slice(start, end);
    // Each another word, for two of them may be keys of one mapping.
    const word = `x${holes.length}`.padEnd(inner.length, 'x').slice(0, inner.length);
    masked += writes ? word : inner.replace(/[^\n]/g, ' ');
    if (writes) holes.push({ start, end });
  }
  masked += text.slice(masked.length);
  const hasLines = holes.some(({ start, end }) => {
    const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
    const after = /^[^\n]*/.exec(text.slice(end))?.[0] ?? '';
    return before.trim() === '' && after.trim() === '';
  });
  return { masked, holes, hasLines };
}

/** The places of the actions that write something, those in blocks included. */
function writingIn(nodes: readonly Node[]): readonly number[] {
  return nodes.flatMap((node) => {
    if (node.type === 'action') return node.pipeline.variables.length === 0 ? [node.offset] : [];
    if (!('body' in node)) return [];
    return [...writingIn(node.body), ...writingIn(node.otherwise ?? [])];
  });
}

function actionsIn(
  tokens: readonly Token[],
  writing: ReadonlySet<number>,
): readonly (Hole & { readonly writes: boolean })[] {
  const actions: (Hole & { readonly writes: boolean })[] = [];
  let open: number | undefined;
  let writes = false;
  for (const { type, offset, end } of tokens) {
    if (type === 'comment') actions.push({ start: offset, end, writes: false });
    else if (type === 'left-delim') [open, writes] = [offset, false];
    else if (type === 'right-delim' && open !== undefined) actions.push({ start: open, end, writes });
    else if (writing.has(offset)) writes = true;
  }
  return actions;
}
