const mostKept = 100_000;

interface Entry<V> {
  readonly value: V;
  readonly at: number;
}

/**
 * Values that are good for a while. Two generations rather than one Map that loses its oldest entry again and again: such a Map is
 * searched from the front each time, past all that it lost. Times are milliseconds.
 */
export class Recent<V> {
  #young = new Map<string, Entry<V>>();
  #old = new Map<string, Entry<V>>();
  #since = 0;

  constructor(
    private readonly lifeMs: number,
    /** Beyond that the oldest are forgotten early. */
    private readonly most = mostKept,
  ) {}

  get(key: string, now: number): V | undefined {
    const entry = this.#young.get(key) ?? this.#old.get(key);
    return entry && now - entry.at < this.lifeMs ? entry.value : undefined;
  }

  set(key: string, value: V, now: number): void {
    // What is in the old generation by now ran out, or is too much.
    if (now - this.#since >= this.lifeMs || this.#young.size * 2 >= this.most) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#since = now;
    }
    this.#young.set(key, { value, at: now });
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
