/** So many addresses one network card may decline within this time. */
export const mostDeclined = { count: 4, withinMs: 600_000 };
/** MACs cost nothing to make up. */
const mostKnown = 4096;

/**
 * Clients that decline one address after the other, by MAC (`aa-bb-cc-dd-ee-ff`): what is wrong there is not the addresses, and each costs
 * the others one. In memory only. Times in milliseconds.
 */
export class Decliners {
  /** When each declined last, the earliest first; no more than `mostDeclined.count` of each. */
  readonly #known = new Map<string, readonly number[]>();

  /** It declined an address. Returns whether it is held off from now on. */
  note(mac: string, now: number): boolean {
    const before = this.#known.get(mac) ?? [];
    this.#known.delete(mac);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= mostKnown) this.#known.delete(oldest);
    this.#known.set(mac, [...before, now].slice(-mostDeclined.count));
    return this.isHeldOff(mac, now);
  }

  /** Whether it gets no address of a pool now. */
  isHeldOff(mac: string, now: number): boolean {
    const times = this.#known.get(mac);
    if (!times || times.length < mostDeclined.count) return false;
    return now - (times[0] ?? 0) < mostDeclined.withinMs;
  }
}
