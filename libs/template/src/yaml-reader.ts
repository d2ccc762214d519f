import { nearest, type Fault } from '@tinkerbell/domain';
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node, type ParsedNode } from 'yaml';
import { maxFaults, maxYamlNodes } from './limits';

/** A stretch of the text that only rendering fills in. */
export interface Hole {
  readonly start: number;
  readonly end: number;
}

/** One place in the document: its path, its node (null when absent) and where to point at when it is faulty. */
export interface Place {
  readonly path: string;
  readonly node: ParsedNode | null;
  readonly offset: number;
  /** Of its key, when it has one. */
  readonly keyOffset?: number;
}

/** Line and column from 1 of a character of the text, counted from 0. */
export type Locate = (offset: number) => { readonly line: number; readonly column: number };

/** A scalar's text. `isOpen`: rendering has still to fill in some of it, so its content says nothing yet. */
export interface Text {
  readonly text: string;
  readonly isOpen: boolean;
}

export class YamlReader {
  private readonly found: Fault[] = [];
  private readonly document: Document.Parsed | undefined;
  private visited = 0;

  /**
   * Anything that is wrong with the YAML itself becomes the one fault; then there is nothing to read. `locate`: where in what the author
   * wrote a character of `text` comes from.
   */
  constructor(
    text: string,
    private readonly locate: Locate,
    private readonly holes: readonly Hole[] = [],
  ) {
    const options = {
      schema: 'failsafe',
      strict: true,
      uniqueKeys: true,
      prettyErrors: false,
      stringKeys: true,
    } as const;
    try {
      const document = parseDocument(text, options);
      const [first] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
      if (!first) this.document = document;
      else this.fault({ path: '', offset: first.pos[0] }, first.message.replace(/\n[^]*$/, ''));
    } catch (error) {
      // The parser goes one call deeper with every level.
      if (!(error instanceof RangeError)) throw error;
      this.fault({ path: '', offset: 0 }, 'nested too deeply');
    }
  }

  get faults(): readonly Fault[] {
    return this.found;
  }

  /** undefined when the text is no YAML. */
  get root(): Place | undefined {
    return this.document && { path: '', node: this.document.contents, offset: 0 };
  }

  fault({ path, offset }: Pick<Place, 'path' | 'offset'>, message: string): void {
    if (this.found.length >= maxFaults) return;
    this.found.push({ path, message, ...this.placeOf(offset) });
  }

  placeOf(offset: number): ReturnType<Locate> {
    const { line, column } = this.locate(offset);
    return { line, column };
  }

  /** The values of a mapping with these keys and no others; undefined when it is none. Absent keys are places without a node. */
  record<K extends string>(place: Place, keys: readonly K[]): Readonly<Record<K, Place>> | undefined {
    const entries = this.entries(place);
    if (!entries) return undefined;
    const known = new Map<string, Place>(entries.map(([key, value]) => [key, value]));
    for (const [key, value] of entries) {
      if (keys.some((allowed) => allowed === key)) continue;
      const near = nearest(key, keys);
      const hint = near === undefined ? 'known' : `did you mean ${near}? Known`;
      this.fault(
        { path: value.path, offset: value.keyOffset ?? value.offset },
        `unknown key ${key}; ${hint} are ${keys.join(', ')}`,
      );
    }
    const absent = (key: K): Place => ({ path: join(place.path, key), node: null, offset: place.offset });
    return Object.fromEntries(keys.map((key) => [key, known.get(key) ?? absent(key)])) as Record<K, Place>;
  }

  /** Keys and values of a mapping in order, merge keys (`<<`) resolved; [] when absent, undefined with a fault when it is none. */
  entries(place: Place): readonly (readonly [string, Place])[] | undefined {
    const node = this.resolve(place);
    if (node === undefined || this.isEmpty(node)) return node === undefined ? undefined : [];
    if (!isMap(node)) return this.isWhole(node) ? undefined : this.wrong(place, node, 'a mapping');
    const own: [string, Place][] = [];
    const merged: (readonly [string, Place])[] = [];
    for (const { key, value } of node.items) {
      if (!isScalar(key)) {
        this.fault({ ...place, offset: key.range[0] }, 'a key must be a plain text');
        continue;
      }
      const name = String(key.value ?? '');
      const keyOffset = key.range[0];
      const at: Place = {
        path: join(place.path, name),
        node: value,
        offset: value?.range[0] ?? keyOffset,
        keyOffset,
      };
      if (name === '<<' && key.type === 'PLAIN') merged.push(...this.merge({ ...at, path: place.path }));
      else own.push([name, at]);
    }
    const names = new Set(own.map(([name]) => name));
    return [...own, ...new Map(merged.toReversed().filter(([name]) => !names.has(name)))];
  }

  /** The items of a list; [] when absent, undefined with a fault when it is none. */
  items(place: Place): readonly Place[] | undefined {
    const node = this.resolve(place);
    if (node === undefined || this.isEmpty(node)) return node === undefined ? undefined : [];
    if (!isSeq(node)) return this.isWhole(node) ? undefined : this.wrong(place, node, 'a list');
    return node.items.map((item, index) => ({
      path: `${place.path}[${index}]`,
      node: item as ParsedNode | null,
      offset: (item as ParsedNode | null)?.range[0] ?? place.offset,
    }));
  }

  /** A scalar as it stands there, whatever YAML makes of it (`version: 0.1` is the text 0.1); '' when absent or null. */
  text(place: Place): Text | undefined {
    const node = this.resolve(place);
    if (node === undefined) return undefined;
    if (this.isEmpty(node)) return { text: '', isOpen: false };
    if (!isScalar(node)) return this.wrong(place, node, 'a text');
    return { text: String(node.value ?? ''), isOpen: this.isOpen(node) };
  }

  /** Whether there is something at this place that says something. */
  has({ node }: Place): boolean {
    return !this.isEmpty(node);
  }

  isList(place: Place): boolean {
    return isSeq(this.resolve(place));
  }

  isMapping(place: Place): boolean {
    return isMap(this.resolve(place));
  }

  /** false when absent. */
  flag(place: Place): boolean {
    const node = this.resolve(place);
    const said = this.text(place);
    if (!said || said.isOpen || this.isEmpty(node ?? null)) return false;
    const isPlain = isScalar(node) && node.type === 'PLAIN';
    if (isPlain && /^(?:true|false)$/.test(said.text)) return said.text === 'true';
    this.fault(place, `must be true or false without quotes, got ${JSON.stringify(said.text)}`);
    return false;
  }

  /** Whole seconds from 0; 0 when absent. undefined when faulty or still open. */
  seconds(place: Place, max: number): number | undefined {
    const node = this.resolve(place);
    const said = this.text(place);
    if (node === undefined || said === undefined || said.isOpen) return undefined;
    if (said.text === '' && this.isEmpty(node)) return 0;
    const isQuoted = isScalar(node) && node.type !== 'PLAIN';
    if (isQuoted || !/^[-+]?\d+$/.test(said.text)) {
      this.fault(place, `must be a whole number of seconds, got ${isQuoted ? JSON.stringify(said.text) : said.text}`);
      return undefined;
    }
    const value = Number(said.text);
    if (value >= 0 && value <= max) return value;
    this.fault(place, `must be 0 to ${max} seconds, got ${said.text}`);
    return undefined;
  }

  /** Behind aliases; undefined, with a fault, when there have been too many. */
  private resolve(place: Place): ParsedNode | null | undefined {
    let { node } = place;
    // An alias stands for a node before it, so the chain ends.
    while (isAlias(node)) {
      if (this.isTooMany(place)) return undefined;
      const target: Node | undefined = this.document && node.resolve(this.document);
      if (!target) {
        this.fault(place, `there is no anchor ${node.source} before this alias`);
        return undefined;
      }
      node = target as ParsedNode;
    }
    if (this.isTooMany(place)) return undefined;
    if (!node?.tag || /^tag:yaml\.org,2002:(?:str|map|seq)$/.test(node.tag)) return node;
    this.fault(place, `tags are not supported, got ${node.tag}`);
    return undefined;
  }

  private isTooMany(place: Place): boolean {
    this.visited++;
    if (this.visited === maxYamlNodes + 1) this.fault(place, `aliases make this more than ${maxYamlNodes} nodes`);
    return this.visited > maxYamlNodes;
  }

  private merge(place: Place): readonly (readonly [string, Place])[] {
    const node = this.resolve(place);
    if (isSeq(node)) return (this.items(place) ?? []).flatMap((item) => this.entries(item) ?? []);
    return this.entries(place) ?? [];
  }

  private isEmpty(node: ParsedNode | null): node is null {
    return (
      node === null ||
      (isScalar(node) && node.type === 'PLAIN' && /^(?:|~|null|Null|NULL)$/.test(String(node.value ?? '')))
    );
  }

  private isOpen(node: ParsedNode): boolean {
    const [start, end] = node.range;
    // The holes are in order: the first one that does not end before the node decides.
    let [low, high] = [0, this.holes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.holes[middle]?.end ?? 0) > start) high = middle;
      else low = middle + 1;
    }
    return (this.holes[low]?.start ?? end) < end;
  }

  /** Rendering may put anything here. */
  private isWhole(node: ParsedNode): boolean {
    return isScalar(node) && this.isOpen(node);
  }

  private wrong(place: Place, node: ParsedNode, wanted: string): undefined {
    this.fault(place, `must be ${wanted}, got ${isMap(node) ? 'a mapping' : isSeq(node) ? 'a list' : 'a text'}`);
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
