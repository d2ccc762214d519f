import { describe, expect, it } from 'vitest';
import { HashTrie, hashTrieOf } from './hash-trie';

describe('HashTrie', () => {
  it('is a map that keeps its old versions', () => {
    const empty = HashTrie.empty<number>();
    const one = empty.with('a', 1);
    const two = one.with('a', 2).with('b', 3);
    expect([empty.get('a'), one.get('a'), two.get('a'), two.size, two.without('a').size]).toEqual([
      undefined,
      1,
      2,
      2,
      1,
    ]);
    expect(two.without('x')).toBe(two);
    expect([...two.values()].sort()).toEqual([2, 3]);
  });

  it('does what a Map does, however it grows and shrinks', () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const map = new Map<string, number>();
    let trie = HashTrie.empty<number>();
    for (let step = 0; step < 30_000; step++) {
      const key = `10.0.${random(8)}.${random(256)}`;
      if (random(3) === 0) {
        map.delete(key);
        trie = trie.without(key);
      } else {
        map.set(key, step);
        trie = trie.with(key, step);
      }
      expect(trie.get(key)).toBe(map.get(key));
    }
    expect(trie.size).toBe(map.size);
    for (const [key, value] of map) expect(trie.get(key)).toBe(value);
    expect([...trie.values()].sort()).toEqual([...map.values()].sort());
  });

  it('of many at once is the one that grew', () => {
    const built = hashTrieOf<number>();
    let grown = HashTrie.empty<number>();
    for (const [i, key] of [
      'costarring',
      'liquid',
      ...Array.from({ length: 5000 }, (_, n) => `10.0.${n >> 4}`),
    ].entries()) {
      built.put(key, i);
      grown = grown.with(key, i);
    }
    const done = built.done();
    expect(done).toEqual(grown);
    const next = done.with('10.0.7', -1);
    expect([done.get('10.0.7'), next.get('10.0.7'), next.size]).toEqual([2 + 127, -1, grown.size]);
  });

  it('keeps keys apart whose hashes are the same', () => {
    // Found by search: FNV-1a gives both the same 32 bits.
    const [one, other] = ['costarring', 'liquid'];
    const trie = HashTrie.empty<number>().with(one, 1).with(other, 2).with(one, 3);
    expect([trie.get(one), trie.get(other), trie.size, [...trie.values()].length]).toEqual([3, 2, 2, 2]);
    const left = trie.without(one);
    expect([left.get(one), left.get(other), left.size]).toEqual([undefined, 2, 1]);
    expect(left.without(other).size).toBe(0);
  });
});
