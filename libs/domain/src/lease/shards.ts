/**
 * Immutable map of string keys for large pools: `with` copies one of 256 buckets instead of everything, so folding a log of n leases
 * does not take n² steps.
 */
export class Shards<V> {
  private constructor(
    private readonly buckets: readonly ReadonlyMap<string, V>[],
    readonly size: number,
  ) {}

  static empty<V>(): Shards<V> {
    const none: ReadonlyMap<string, V> = new Map();
    return new Shards<V>(
      Array.from({ length: 256 }, () => none),
      0,
    );
  }

  get(key: string): V | undefined {
    return this.buckets[hash(key)]?.get(key);
  }

  with(key: string, value: V): Shards<V> {
    const at = hash(key);
    const bucket = new Map(this.buckets[at]);
    const grown = bucket.has(key) ? 0 : 1;
    return new Shards(this.buckets.with(at, bucket.set(key, value)), this.size + grown);
  }

  without(key: string): Shards<V> {
    const at = hash(key);
    const bucket = new Map(this.buckets[at]);
    return bucket.delete(key) ? new Shards(this.buckets.with(at, bucket), this.size - 1) : this;
  }

  *values(): IterableIterator<V> {
    for (const bucket of this.buckets) yield* bucket.values();
  }
}

/** FNV-1a, folded to one byte. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 8) ^ (value >>> 16) ^ (value >>> 24)) & 0xff;
}
