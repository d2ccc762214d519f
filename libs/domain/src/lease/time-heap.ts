/** Keys by time, the earliest first; each once. */
export class TimeHeap {
  readonly #times: number[] = [];
  readonly #keys: string[] = [];
  /** When each key is due; what the heap holds beside that is out of date. */
  readonly #due = new Map<string, number>();

  /** A key that is in it already stays where it is, unless the new time is earlier. */
  put(key: string, time: number): void {
    if ((this.#due.get(key) ?? Infinity) <= time) return;
    this.#due.set(key, time);
    let at = this.#times.length;
    this.#times.push(time);
    this.#keys.push(key);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#timeAt(above) <= time) break;
      this.#swap(at, above);
      at = above;
    }
  }

  /** The key with the earliest time, which leaves, when that is `limit` or before. */
  take(limit = Infinity): { readonly key: string; readonly time: number } | undefined {
    while (this.#times.length > 0 && this.#timeAt(0) <= limit) {
      const [time, key] = [this.#timeAt(0), this.#keys[0] ?? ''];
      this.#removeFirst();
      if (this.#due.get(key) !== time) continue;
      this.#due.delete(key);
      return { key, time };
    }
    return undefined;
  }

  clear(): void {
    this.#times.length = 0;
    this.#keys.length = 0;
    this.#due.clear();
  }

  #removeFirst(): void {
    const [time, key] = [this.#times.pop(), this.#keys.pop()];
    if (time === undefined || key === undefined || this.#times.length === 0) return;
    this.#times[0] = time;
    this.#keys[0] = key;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = this.#timeAt(right) < this.#timeAt(left) ? right : left;
      if (this.#timeAt(least) >= this.#timeAt(at)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #timeAt(index: number): number {
    return this.#times[index] ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const [time, key] = [this.#timeAt(a), this.#keys[a] ?? ''];
    this.#times[a] = this.#timeAt(b);
    this.#keys[a] = this.#keys[b] ?? '';
    this.#times[b] = time;
    this.#keys[b] = key;
  }
}
