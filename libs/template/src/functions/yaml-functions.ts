import { parseDocument, Document, visit, type Scalar } from 'yaml';
import { FunctionError, isList, isMap, type Value } from '../go-template/values';
import { fn, measure, type TemplateFunction } from './function';
import { jsonValue } from './json-functions';

/** `toYaml` and `fromYaml` as sigs.k8s.io/yaml has them: YAML 1.1, sorted keys, numbers are float64 when read. */
export const yamlFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['toYaml', fn(['any'], toYaml)],
  ['fromYaml', fn(['string'], fromYaml)],
];

/** Aliases that one text may follow; what they stand for counts again each time. */
const maxAliases = 100;
/** Tags of YAML 1.1 that JSON, or Go's YAML, does not know. */
const unknownTag = /:(?:timestamp|binary|omap|pairs|set)$/;
/** What YAML 1.1 would take for something else than a text. */
const taken = new RegExp(
  `^(?:${[
    '~|null|Null|NULL|[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE|',
    '\\.nan|\\.NaN|\\.NAN|[-+]?\\.(?:inf|Inf|INF)',
    '[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)',
    '[-+]?(?:\\.[0-9]+|[0-9][0-9_]*(?:\\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?',
    '[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\\.[0-9_]*)?',
    '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \\t].*)?',
  ].join('|')})$`,
);

function toYaml(value: Value): string {
  const document = new Document(plainOf(value), { aliasDuplicateObjects: false });
  visit(document, { Scalar: (_key, node) => void style(node) });
  return document.toString({ indentSeq: false, lineWidth: 0, nullStr: 'null' }).replace(/\n$/, '');
}

/** Quotes as Go's YAML puts them; a reader of YAML 1.1 and one of 1.2 both find the same text. */
function style(node: Scalar): void {
  const { value } = node;
  if (typeof value !== 'string') return;
  const type = taken.test(value)
    ? 'QUOTE_DOUBLE'
    : /[^\x20-\x7e\n\xa0-\ud7ff\ue000-\ufffd]/u.test(value.replace(/[\u{10000}-\u{10ffff}]/gu, ''))
      ? 'QUOTE_DOUBLE'
      : value.includes('\n')
        ? 'BLOCK_LITERAL'
        : /^[-?:,[\]{}#&*!|>'"%@`]|: |:$| #|^ | $/.test(value) && !/^[-?:][^ ]/.test(value)
          ? 'QUOTE_SINGLE'
          : 'PLAIN';
  node.type = type;
}

/** Keys in the order in which Go's YAML writes them. */
function plainOf(value: Value): unknown {
  if (isList(value)) return value.map(plainOf);
  if (!isMap(value)) return value;
  const keys = Object.keys(value).sort(naturally);
  return new Map(keys.map((key) => [key, plainOf(value[key] ?? null)]));
}

/** Letters after everything else, and numbers by their value: disk2 before disk10. */
function naturally(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  const at = left.findIndex((c, i) => c !== right[i]);
  const [x, y] = [left[at], right[at]];
  if (at < 0 || x === undefined || y === undefined) return left.length - right.length;
  const [xLetter, yLetter] = [/\p{L}/u.test(x), /\p{L}/u.test(y)];
  if (xLetter !== yLetter) return xLetter ? 1 : -1;
  const order = (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
  if (xLetter) return order;
  const [m, n] = [left, right].map((all) => /^\d*/.exec(all.slice(at).join(''))?.[0] ?? '');
  const isInNumber = (x === '0' || y === '0') && /[1-9]\d*$/.test(left.slice(0, at).join(''));
  const [mValue, nValue] = [m, n].map((digits) => BigInt(`${isInNumber ? '1' : ''}${digits}` || '0'));
  if (mValue !== nValue) return (mValue ?? 0n) < (nValue ?? 0n) ? -1 : 1;
  return (m ?? '').length - (n ?? '').length || order;
}

function fromYaml(text: string): Value {
  if (text === '') throw new FunctionError('fromYaml: empty YAML input');
  try {
    const document = parseDocument(text, {
      version: '1.1',
      prettyErrors: false,
      customTags: (tags) =>
        tags.filter((tag) => typeof tag !== 'string' && !unknownTag.test(tag.tag) && tag.format !== 'TIME'),
    });
    const [fault] = document.errors;
    if (fault) throw new FunctionError(`fromYaml: ${fault.message.replace(/\n[^]*$/, '')}`);
    const value = jsonValue(document.toJS({ maxAliasCount: maxAliases }));
    measure(value);
    return value;
  } catch (error) {
    // The parser says so of too many aliases, and goes one call deeper with every level.
    if (error instanceof ReferenceError) throw new FunctionError(`fromYaml: ${error.message}`);
    if (error instanceof RangeError) throw new FunctionError('fromYaml: nested too deeply');
    throw error;
  }
}
