import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import type { TemplateFunctions } from './functions/function';
import { templateFunctions } from './functions/template-functions';
import { parse } from './go-template/parser';
import { placeOf } from './go-template/template-error';
import { expandGraph } from './graph/expand-graph';
import { hasOpenNames, type GraphTemplate } from './graph/graph-template';
import { checkReferences } from './graph/plan-graph';
import { mask } from './mask-actions';
import { readGraph } from './graph/read-graph';
import { readTemplate } from './read-template';
import { refuseOversized, versionOf, type Rendered } from './render-template';
import type { Template, TemplateVersion } from './template';
import { YamlReader, type Place } from './yaml-reader';

/** A text that was read: its template, and what wrote down what is wrong with it. */
export type ReadTemplate = {
  readonly reader: YamlReader;
  /** Throws what has been found wrong since. */
  readonly refuse: () => void;
} & (
  | { readonly version: '0.1'; readonly template: Template }
  | { readonly version: '1.0'; readonly template: GraphTemplate }
);

/**
 * Rendered text → template 0.1, strictly: every key known and given once. Throws InvalidDocumentError with all the rules that it breaks,
 * or with the first thing that is not YAML.
 */
export function parseTemplate(text: string): Template {
  refuseOversized(text);
  const read = readRendered({ text, version: '0.1', locate: (offset) => placeOf(text, offset) });
  if (read.version === '0.1') return read.template;
  throw new InvalidDocumentError('template', [{ path: 'version', message: 'invalid template version: 1.0' }]);
}

/** As parseTemplate, of either version. */
export function readRendered({ text, version, locate }: Rendered): ReadTemplate {
  refuseOversized(text);
  const reader = new YamlReader(text, locate);
  const { root } = reader;
  const refuse = (): void => {
    if (reader.faults.length > 0) throw invalid(reader.faults, root === undefined);
  };
  if (!root) throw invalid(reader.faults, true);
  const read = readVersion(reader, root, version);
  refuse();
  return { reader, refuse, ...read };
}

function readVersion(reader: YamlReader, root: Place, version: TemplateVersion) {
  checkVersion(reader, root, version);
  if (version === '0.1') return { version, template: readTemplate(reader, root) } as const;
  return { version, template: readGraph(reader, root) } as const;
}

/** `version`: as it was found in the text before rendering. */
function checkVersion(reader: YamlReader, root: Place, version: TemplateVersion): void {
  if (!reader.isMapping(root)) return;
  const place = (reader.entries(root) ?? []).find(([key]) => key === 'version')?.[1];
  const at = place ?? { path: 'version', node: null, offset: root.offset };
  const said = reader.text(at);
  if (!said || said.isOpen || said.text === version) return;
  const hint =
    said.text === '1.0'
      ? ': write version: "1.0" as a line of its own, without {{ }}'
      : said.text === ''
        ? ''
        : '; there are 0.1 and 1.0';
  reader.fault(at, `invalid template version: ${said.text}${hint}`);
}

/**
 * What can be said of a template before it is rendered: it is a Go template, it is YAML, and every rule that does not depend on a
 * value. `{{ }}` may stand for any value or a part of one. What a template with `if`, `with` or `range` becomes only rendering shows,
 * so of such a one only the first is checked. Throws as parseTemplate and renderTemplate do.
 */
export function checkTemplate(text: string, functions: TemplateFunctions = templateFunctions): void {
  refuseOversized(text);
  const version = versionOf(text);
  const options = { keepsExpressions: version === '1.0' };
  const nodes = parse(text, functions, options);
  if (nodes.some(({ type }) => type !== 'text' && type !== 'action')) return;
  const { masked, holes, hasLines } = mask(text, nodes, options);
  const reader = new YamlReader(masked, (offset) => placeOf(text, offset), holes);
  const { root } = reader;
  // An action that is a line of its own may become any number of lines.
  if (root === undefined && hasLines) return;
  if (root) {
    const read = readVersion(reader, root, version);
    if (read.version === '1.0') checkGraph(reader, read.template);
  }
  if (reader.faults.length > 0) throw invalid(reader.faults, root === undefined);
}

/** What refers to what, as far as no name is still to be filled in. */
function checkGraph(reader: YamlReader, template: GraphTemplate): void {
  if (hasOpenNames(template) || reader.faults.length > 0) return;
  const report = reader.fault.bind(reader);
  const drafts = expandGraph(template, report);
  if (reader.faults.length === 0) checkReferences(drafts, report);
}

function invalid(found: readonly Fault[], isYaml: boolean): InvalidDocumentError {
  const order = ({ line = 0, column = 0 }: Fault): number => line * 1e6 + column;
  // What stands in a matrix or in an anchor is read more than once.
  const once = new Map(found.map((fault) => [JSON.stringify(fault), fault]));
  const faults = [...once.values()].toSorted((a, b) => order(a) - order(b));
  const all = new InvalidDocumentError('template', faults).message;
  return new InvalidDocumentError(
    'template',
    faults,
    `${isYaml ? 'parsing yaml data' : 'validating workflow template'}: ${all}`,
  );
}
