import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { templateFunctions } from './functions/template-functions';
import { lex } from './go-template/lexer';
import { parse } from './go-template/parser';
import { placeOf } from './go-template/template-error';
import { mask } from './mask-actions';
import { checkTemplate } from './parse-template';
import { versionOf } from './render-template';
import type { Hole } from './yaml-reader';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}
/** A pair with the places that the parser always gives. */
interface Entry {
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: Node | null;
  readonly pair: Pair;
}

/**
 * A template 0.1 as one of version 1.0 that comes to the same actions. Only what differs is written anew: comments, order and `{{ }}` stay
 * as they are. Throws InvalidDocumentError when it is no valid template 0.1, or what it is cannot be seen before rendering.
 */
export function convertTemplate(text: string): string {
  if (versionOf(text) === '1.0')
    throw refused(text, [{ offset: 0, path: 'version', message: 'it is of version 1.0 already' }]);
  checkTemplate(text);
  const converter = new Converter(text);
  const converted = converter.run();
  checkTemplate(converted);
  return converted;
}

interface Found {
  readonly offset: number;
  readonly path: string;
  readonly message: string;
}

function refused(text: string, found: readonly Found[]): InvalidDocumentError {
  const faults = found.map(({ offset, path, message }): Fault => {
    const { line, column } = placeOf(text, offset);
    return { path, message, line, column };
  });
  return new InvalidDocumentError('template', faults);
}

class Converter {
  private readonly edits = new Map<number, Edit>();
  private readonly faults: Found[] = [];
  private readonly masked: string;
  private readonly holes: readonly Hole[];
  private readonly document: Document.Parsed;
  private readonly blocks: readonly Hole[];

  constructor(private readonly text: string) {
    const options = { keepsExpressions: false };
    const { masked, holes } = mask(text, parse(text, templateFunctions, options), options);
    [this.masked, this.holes] = [masked, holes];
    this.blocks = blocksIn(text);
    this.document = parseDocument(masked, { schema: 'failsafe', prettyErrors: false, stringKeys: true, merge: true });
    const [error] = this.document.errors;
    if (!error) return;
    const message = `its shape is only known after rendering (${error.message.replace(/\n[^]*$/, '')}): render it and convert that`;
    throw refused(text, [{ offset: error.pos[0], path: '', message }]);
  }

  run(): string {
    this.keepDollars();
    const root = this.mapOf(this.document.contents);
    for (const { key, keyStart, keyEnd, value, pair } of this.entries(root)) {
      if (key === 'version') this.replace(value, '"1.0"');
      else if (key === 'global_timeout') {
        this.edit(keyStart, keyEnd, 'timeout');
        this.duration(value);
      } else if (key === 'id') this.remove(root, pair, keyStart);
      else if (key === 'tasks') this.tasks(value);
    }
    if (this.faults.length > 0) throw refused(this.text, this.faults);
    return this.applied();
  }

  /** In 1.0 `${{` is not Go's. */
  private keepDollars(): void {
    for (const { type, offset } of lex(this.text)) {
      if (type === 'left-delim' && this.text[offset - 1] === '$') this.edit(offset - 1, offset, '{{ `$` }}');
    }
  }

  /** Each runs after the one before it, which in 1.0 has to be said. */
  private tasks(value: Node | null): void {
    const list = this.behind(value);
    if (!isSeq(list)) return;
    let before: string | undefined;
    list.items.forEach((item, i) => {
      const task = this.mapOf(item as Node);
      const start = task?.range?.[0] ?? 0;
      const path = `tasks[${i}]`;
      if (!task) return;
      if (this.blocks.some((block) => block.start < start && start < block.end)) {
        this.fault(start, path, 'whether it is there is only known after rendering: write its needs yourself');
      }
      const entries = this.entries(task);
      const name = entries.find(({ key }) => key === 'name');
      this.checkName(name?.value ?? null, `${path}.name`);
      const actions = this.behind(entries.find(({ key }) => key === 'actions')?.value ?? null);
      if (!isSeq(actions) || actions.items.length === 0) {
        this.fault(start, path, 'a task needs at least one action in 1.0: take this one out');
      } else actions.items.forEach((action, j) => this.action(action as Node, `${path}.actions[${j}]`));
      if (before !== undefined) this.addNeeds(task, name ?? entries[0], before);
      const source = name?.value?.range;
      if (source) before = this.text.slice(source[0], source[1]);
    });
  }

  private action(node: Node, path: string): void {
    for (const { key, keyStart, keyEnd, value } of this.entries(this.mapOf(node))) {
      if (key === 'name') this.checkName(value, `${path}.name`);
      else if (key === 'timeout') this.duration(value);
      else if (key === 'on-timeout') this.edit(keyStart, keyEnd, 'onTimeout');
      else if (key === 'on-failure') this.edit(keyStart, keyEnd, 'onFailure');
    }
  }

  private checkName(value: Node | null, path: string): void {
    const scalar = this.behind(value);
    const text = isScalar(scalar) ? String(scalar.value) : '';
    const isTaken = /^tasks\[\d+\]\.name$/.test(path) && /^(?:onFailure|onTimeout|finally)$/.test(text);
    if (!/[/[\]]/.test(text) && !isTaken) return;
    this.fault(value?.range?.[0] ?? 0, path, `${JSON.stringify(text)} cannot be a name in 1.0: change it first`);
  }

  private duration(value: Node | null): void {
    const scalar = this.behind(value);
    const range = scalar?.range;
    if (!isScalar(scalar) || !range || range[0] === range[1]) return;
    if (this.holes.some(({ start, end }) => start < range[1] && end > range[0]))
      return this.edit(range[1], range[1], 's');
    if (/^\+?\d+$/.test(String(scalar.value))) this.edit(range[0], range[1], durationText(Number(scalar.value)));
  }

  private addNeeds(task: YAMLMap, entry: Entry | undefined, before: string): void {
    if (!entry) return;
    const end = entry.value?.range?.[1] ?? entry.keyEnd;
    if (task.flow) return this.edit(end, end, `, needs: [${before}]`);
    const lineStart = this.text.lastIndexOf('\n', entry.keyStart - 1) + 1;
    const indent = ' '.repeat(entry.keyStart - lineStart);
    const isSafe = /^(?:[\w.-]+|"[^"\\]*"|'[^']*')$/.test(before);
    const needs = isSafe ? `needs: [${before}]` : `needs:\n${indent}  - ${before}`;
    const newline = this.masked.indexOf('\n', end);
    const at = newline < 0 ? this.text.length : newline;
    this.edit(at, at, `\n${indent}${needs}`);
  }

  private remove(map: YAMLMap | undefined, pair: Pair, keyStart: number): void {
    const value = pair.value as Node | null;
    const end = value?.range?.[1] ?? keyStart;
    if (!map?.flow) {
      const newline = this.masked.indexOf('\n', end);
      return this.edit(keyStart, newline < 0 ? this.text.length : newline + 1, '');
    }
    const after = /^\s*,\s*/.exec(this.masked.slice(end))?.[0].length;
    if (after !== undefined) return this.edit(keyStart, end + after, '');
    const comma = /,\s*$/.exec(this.masked.slice(0, keyStart))?.[0].length ?? 0;
    this.edit(keyStart - comma, end, '');
  }

  private replace(value: Node | null, text: string): void {
    const range = this.behind(value)?.range;
    if (range) this.edit(range[0], range[1], text);
  }

  private entries(map: YAMLMap | undefined): readonly Entry[] {
    return (map?.items ?? []).flatMap((pair) => {
      const { key, value } = pair as Pair<Node, Node | null>;
      if (!isScalar(key) || !key.range) return [];
      const merged = key.value === '<<' ? this.merged(value) : [];
      return [...merged, { key: String(key.value), keyStart: key.range[0], keyEnd: key.range[1], value, pair }];
    });
  }

  private merged(value: Node | null): readonly Entry[] {
    const source = this.behind(value);
    if (isSeq(source)) return source.items.flatMap((item) => this.merged(item as Node));
    return this.entries(this.mapOf(source));
  }

  private mapOf(node: Node | null): YAMLMap | undefined {
    const target = this.behind(node);
    return isMap(target) ? target : undefined;
  }

  private behind(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.document) ?? null) : node;
  }

  private fault(offset: number, path: string, message: string): void {
    this.faults.push({ offset, path, message });
  }

  /** What is behind an alias is met several times and changed once. */
  private edit(start: number, end: number, text: string): void {
    this.edits.set(start, { start, end, text });
  }

  private applied(): string {
    let [out, at] = ['', 0];
    for (const { start, end, text } of [...this.edits.values()].sort((a, b) => a.start - b.start)) {
      out += this.text.slice(at, start) + text;
      at = end;
    }
    return out + this.text.slice(at);
  }
}

/** From `{{ if }}`, `{{ range }}` or `{{ with }}` to its `{{ end }}`. */
function blocksIn(text: string): readonly Hole[] {
  const open: number[] = [];
  const blocks: Hole[] = [];
  const tokens = lex(text);
  tokens.forEach(({ type, value, offset }, i) => {
    const before = tokens.slice(Math.max(0, i - 2), i).findLast((token) => token.type !== 'space');
    if (type !== 'keyword' || before?.type !== 'left-delim') return;
    if (value === 'if' || value === 'range' || value === 'with') open.push(offset);
    if (value === 'end') blocks.push({ start: open.pop() ?? 0, end: offset });
  });
  return blocks;
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${seconds}s`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${rest > 0 ? `${rest}s` : ''}`;
}
