/** What a bad network does to packets. */
export interface Losses {
  /** Shares of packets, 0 to 1. */
  readonly drop: number;
  readonly duplicate: number;
  /** The packet is held back until the next one in its direction has gone, for 50 ms at most. */
  readonly reorder: number;
  /** Same seed, same accidents. */
  readonly seed: number;
}

const longestHeldMs = 50;

/** Decides the fate of each packet. */
export class Accidents {
  readonly count = { drop: 0, duplicate: 0, reorder: 0 };
  readonly #random: () => number;
  readonly #held = new Map<unknown, () => void>();

  constructor(private readonly losses: Losses) {
    this.#random = seeded(losses.seed);
  }

  /** Calls `send` never, now, later or twice; `direction`: what is overtaken is overtaken by packets of the same one. */
  pass(direction: unknown, send: () => void): void {
    const { drop, duplicate, reorder } = this.losses;
    if (this.#random() < drop) {
      this.count.drop++;
      return;
    }
    const late = this.#held.get(direction);
    this.#held.delete(direction);
    if (!late && this.#random() < reorder) return this.#hold(direction, send);
    send();
    late?.();
    if (this.#random() < duplicate) {
      this.count.duplicate++;
      send();
    }
  }

  #hold(direction: unknown, send: () => void): void {
    this.count.reorder++;
    this.#held.set(direction, send);
    setTimeout(() => {
      if (this.#held.get(direction) !== send) return;
      this.#held.delete(direction);
      send();
    }, longestHeldMs);
  }
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
