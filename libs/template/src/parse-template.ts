import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import type { TemplateFunctions } from './functions/function';
import { templateFunctions } from './functions/template-functions';
import { lex, type Token } from './go-template/lexer';
import { parse } from './go-template/parser';
import type { Node } from './go-template/nodes';
import { readTemplate } from './read-template';
import { refuseOversized } from './render-template';
import type { Template } from './template';
import { YamlReader, type Hole } from './yaml-reader';

/**
 * Rendered text → template, strictly: every key known and given once. Throws InvalidDocumentError with all the rules that it breaks, or
 * with the first thing that is not YAML.
 */
export function parseTemplate(text: string): Template {
  refuseOversized(text);
  const reader = new YamlReader(text);
  const { root } = reader;
  const template = root && readTemplate(reader, root);
  if (template && reader.faults.length === 0) return template;
  throw invalid(reader.faults, root === undefined);
}

/**
 * What can be said of a template before it is rendered: it is a Go template, it is YAML, and every rule that does not depend on a
 * value. `{{ }}` may stand for any value or a part of one. What a template with `if`, `with` or `range` becomes only rendering shows,
 * so of such a one only the first is checked. Throws as parseTemplate and renderTemplate do.
 */
export function checkTemplate(text: string, functions: TemplateFunctions = templateFunctions): void {
  refuseOversized(text);
  const nodes = parse(text, functions);
  if (nodes.some(({ type }) => type !== 'text' && type !== 'action')) return;
  const { masked, holes, hasLines } = mask(text, nodes);
  const reader = new YamlReader(masked, holes, text);
  const { root } = reader;
  // An action that is a line of its own may become any number of lines.
  if (root === undefined && hasLines) return;
  if (root) readTemplate(reader, root);
  if (reader.faults.length > 0) throw invalid(reader.faults, root === undefined);
}

function invalid(faults: readonly Fault[], isYaml: boolean): InvalidDocumentError {
  const all = new InvalidDocumentError('template', faults).message;
  return new InvalidDocumentError(
    'template',
    faults,
    `${isYaml ? 'parsing yaml data' : 'validating workflow template'}: ${all}`,
  );
}

/** The text with a plain word of the same length in place of every action that writes something, and nothing in place of the others. */
function mask(
  text: string,
  nodes: readonly Node[],
): { readonly masked: string; readonly holes: readonly Hole[]; readonly hasLines: boolean } {
  const writing = new Set(
    nodes.flatMap((node) => (node.type === 'action' && node.pipeline.variables.length === 0 ? node.offset : [])),
  );
  let masked = '';
  const holes: Hole[] = [];
  for (const { start, end, writes } of actionsIn(lex(text), writing)) {
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
