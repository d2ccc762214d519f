const mostKept = 100_000;

/**
 * As `Recent`, of numbers by number; keys are not NaN. It keeps no objects: thousands of messages a second would leave as many for the
 * garbage collector to move.
 */
export class RecentNumbers {
  #young = new Table();
  #old = new Table();
  #since = 0;

  constructor(
    private readonly lifeMs: number,
    /** Beyond that the oldest are forgotten early. */
    private readonly most = mostKept,
  ) {}

  get(key: number, now: number): number | undefined {
    return this.#young.get(key, now - this.lifeMs) ?? this.#old.get(key, now - this.lifeMs);
  }

  set(key: number, value: number, now: number): void {
    // What is in the old generation by now ran out, or is too much.
    if (now - this.#since >= this.lifeMs || this.#young.size * 2 >= this.most) {
      [this.#young, this.#old] = [this.#old, this.#young];
      this.#young.clear();
      this.#since = now;
    }
    this.#young.set(key, value, now);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

const smallest = 256;

/** Open addressing, half full at most. */
class Table {
  #keys = new Float64Array(smallest).fill(NaN);
  #values = new Float64Array(smallest);
  #times = new Float64Array(smallest);
  size = 0;

  /** Set after `since`. */
  get(key: number, since: number): number | undefined {
    const at = this.#placeOf(key);
    return this.#keys[at] === key && (this.#times[at] ?? 0) > since ? this.#values[at] : undefined;
  }

  set(key: number, value: number, time: number): void {
    const at = this.#placeOf(key);
    if (this.#keys[at] !== key) this.size++;
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#times[at] = time;
    if (this.size * 2 > this.#keys.length) this.#grow();
  }

  clear(): void {
    this.#keys.fill(NaN);
    this.size = 0;
  }

  /** Where it is, or would be. */
  #placeOf(key: number): number {
    const last = this.#keys.length - 1;
    let at = Math.imul(key ^ (key / 2 ** 32), 0x9e3779b1) >>> 7;
    for (at &= last; ; at = (at + 1) & last) {
      const there = this.#keys[at] ?? NaN;
      if (there === key || Number.isNaN(there)) return at;
    }
  }

  #grow(): void {
    const [keys, values, times] = [this.#keys, this.#values, this.#times];
    this.#keys = new Float64Array(keys.length * 2).fill(NaN);
    this.#values = new Float64Array(keys.length * 2);
    this.#times = new Float64Array(keys.length * 2);
    this.size = 0;
    keys.forEach((key, i) => {
      if (!Number.isNaN(key)) this.set(key, values[i] ?? 0, times[i] ?? 0);
    });
  }
}
