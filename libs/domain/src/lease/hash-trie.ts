/**
 * Immutable map of string keys for large pools: a trie of 16-way nodes by hash, so that `with` copies a few small arrays however many keys
 * there are, and every version stays as it was.
 */
export class HashTrie<V> {
  private constructor(
    private readonly root: Node<V>,
    readonly size: number,
  ) {}

  static empty<V>(): HashTrie<V> {
    return new HashTrie<V>(emptyNode, 0);
  }

  /** Of one key the last leaf counts. */
  static of<V>(leaves: readonly Leaf<V>[]): HashTrie<V> {
    const hashes = Uint32Array.from(leaves, ({ key }) => hashOf(key));
    const root = leaves.length === 0 ? emptyNode : nodeOf(leaves, hashes, Array.from(leaves.keys()), 0);
    return new HashTrie(root, sizeOf(root));
  }

  get(key: string): V | undefined {
    let node: Node<V> = this.root;
    let hash = hashOf(key);
    for (;;) {
      const bit = 1 << (hash & 15);
      if ((node[0] & bit) === 0) return undefined;
      const slot: Slot<V> = slotAt(node, placeOf(node[0], bit));
      if (slot instanceof Leaf) return valueIn(slot, key);
      node = slot;
      hash >>>= 4;
    }
  }

  with(key: string, value: V): HashTrie<V> {
    const grown = this.get(key) === undefined ? 1 : 0;
    return new HashTrie(insert(this.root, new Leaf(key, value), hashOf(key), 0), this.size + grown);
  }

  without(key: string): HashTrie<V> {
    if (this.get(key) === undefined) return this;
    return new HashTrie(remove(this.root, key, hashOf(key)) ?? emptyNode, this.size - 1);
  }

  *values(): IterableIterator<V> {
    for (const { value } of leavesOf(this.root)) yield value;
  }

  *entries(): IterableIterator<readonly [key: string, value: V]> {
    for (const { key, value } of leavesOf(this.root)) yield [key, value];
  }
}

/** Of many entries at once: the same trie as by `with`, without a version for each. */
export function hashTrieOf<V>(): { put(key: string, value: V): void; done(): HashTrie<V> } {
  const leaves: Leaf<V>[] = [];
  return {
    put: (key, value) => void leaves.push(new Leaf(key, value)),
    done: () => HashTrie.of(leaves),
  };
}

class Leaf<V> {
  constructor(
    readonly key: string,
    readonly value: V,
    /** Others with the very same hash. */
    readonly next?: Leaf<V>,
  ) {}
}

type Slot<V> = Node<V> | Leaf<V>;

/**
 * Which of 16 places are taken, and what stands in those. One array rather than an object with another in it: each step down a large trie is a
 * cache miss for every object on its way.
 */
type Node<V> = readonly [bits: number, ...taken: Slot<V>[]];

const emptyNode: Node<never> = [0];

/** `place` ≥ 1 is taken: what stands in a node beside the bits are slots. */
function slotAt<V>(node: Node<V>, place: number): Slot<V> {
  return node[place] as Slot<V>;
}

/** 32 bits of hash are used up. */
const maxDepth = 7;

function valueIn<V>(leaf: Leaf<V>, key: string): V | undefined {
  for (let one: Leaf<V> | undefined = leaf; one; one = one.next) if (one.key === key) return one.value;
  return undefined;
}

/** `hash`: what is left of it at this depth. */
function insert<V>(node: Node<V>, leaf: Leaf<V>, hash: number, depth: number): Node<V> {
  const bit = 1 << (hash & 15);
  const place = placeOf(node[0], bit);
  if ((node[0] & bit) === 0) return withBits(node.toSpliced(place, 0, leaf), node[0] | bit);
  const slot = slotAt(node, place);
  if (!(slot instanceof Leaf)) return withSlot(node, place, insert(slot, leaf, hash >>> 4, depth + 1));
  if (slot.key === leaf.key) return withSlot(node, place, new Leaf(leaf.key, leaf.value, slot.next));
  if (depth === maxDepth) return withSlot(node, place, chained(slot, leaf));
  const below = insert<V>(emptyNode, slot, hashOf(slot.key) >>> (4 * (depth + 1)), depth + 1);
  return withSlot(node, place, insert(below, leaf, hash >>> 4, depth + 1));
}

/** `own`: which of the leaves are below this node. */
function nodeOf<V>(leaves: readonly Leaf<V>[], hashes: Uint32Array, own: readonly number[], depth: number): Node<V> {
  const places: number[][] = Array.from({ length: 16 }, () => []);
  for (const i of own) places[((hashes[i] ?? 0) >>> (4 * depth)) & 15]?.push(i);
  const taken = places.filter(({ length }) => length > 0);
  const bits = places.reduce((sum, { length }, place) => (length > 0 ? sum | (1 << place) : sum), 0);
  const slots = taken.map((below): Slot<V> => {
    const [first, last] = [leaves[below[0] ?? 0], leaves[below.at(-1) ?? 0]];
    if (!first || !last) return emptyNode;
    if (below.every((i) => leaves[i]?.key === first.key)) return last;
    if (depth < maxDepth) return nodeOf(leaves, hashes, below, depth + 1);
    return below.reduce((chain, i) => chained(chain, leaves[i] ?? first), first);
  });
  // With no room to spare, as a literal would have.
  return withBits(new Array<number | Slot<V>>(0).concat(bits, slots), bits);
}

function sizeOf<V>(node: Node<V>): number {
  let size = 0;
  for (let place = 1; place < node.length; place++) {
    const slot = slotAt(node, place);
    if (!(slot instanceof Leaf)) size += sizeOf(slot);
    else for (let one: Leaf<V> | undefined = slot; one; one = one.next) size++;
  }
  return size;
}

function chained<V>(chain: Leaf<V>, { key, value }: Leaf<V>): Leaf<V> {
  return new Leaf(key, value, unchained(chain, key));
}

function unchained<V>(chain: Leaf<V> | undefined, key: string): Leaf<V> | undefined {
  if (!chain) return undefined;
  return chain.key === key ? chain.next : new Leaf(chain.key, chain.value, unchained(chain.next, key));
}

function remove<V>(node: Node<V>, key: string, hash: number): Node<V> | undefined {
  const bit = 1 << (hash & 15);
  const place = placeOf(node[0], bit);
  const slot = slotAt(node, place);
  const left = slot instanceof Leaf ? unchained(slot, key) : remove(slot, key, hash >>> 4);
  if (left !== undefined) return withSlot(node, place, left);
  return node.length === 2 ? undefined : withBits(node.toSpliced(place, 1), node[0] & ~bit);
}

/** Nobody else has it yet. */
function withBits<V>(fresh: (number | Slot<V>)[], bits: number): Node<V> {
  fresh[0] = bits;
  return fresh as unknown as Node<V>;
}

function withSlot<V>(node: Node<V>, place: number, slot: Slot<V>): Node<V> {
  const copy: [number, ...Slot<V>[]] = [...node];
  copy[place] = slot;
  return copy;
}

function* leavesOf<V>(node: Node<V>): IterableIterator<Leaf<V>> {
  for (let place = 1; place < node.length; place++) {
    const slot = slotAt(node, place);
    if (!(slot instanceof Leaf)) yield* leavesOf(slot);
    else for (let one: Leaf<V> | undefined = slot; one; one = one.next) yield one;
  }
}

/** One more than how many before this one are taken. */
function placeOf(bits: number, bit: number): number {
  let below = bits & (bit - 1);
  below -= (below >>> 1) & 0x55555555;
  below = (below & 0x33333333) + ((below >>> 2) & 0x33333333);
  return (Math.imul((below + (below >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24) + 1;
}

/** FNV-1a, its bits mixed: addresses differ in their last characters only. */
export function hashOf(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
