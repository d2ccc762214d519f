import { roll } from './log-hash';

export interface Rolled {
  readonly position: number;
  readonly leaf: string;
  /** Rolling hash after it. */
  readonly hash: string;
  /** Commits so far, those of the audit itself not counted. */
  readonly commits: number;
}

/**
 * How many commits may come between what a checkpoint covers and the checkpoint itself. Others write while it is signed, so some do; the
 * signer stays far below.
 */
export const windowSize = 16_384;

/** The last commits of the log with their rolling hashes. */
export class HashWindow {
  readonly #ring: Rolled[] = [];
  #next = 0;

  add(rolled: Rolled): void {
    this.#ring[this.#next] = rolled;
    this.#next = (this.#next + 1) % windowSize;
  }

  /** The last commit at or before this position; undefined when that is further back than the window. */
  at(position: number): Rolled | undefined {
    for (let back = 1; back <= this.#ring.length; back++) {
      const rolled = this.#ring[(this.#next + windowSize - back) % windowSize];
      if (rolled && rolled.position <= position) return rolled;
    }
    return undefined;
  }

  /** Rolls on from another hash at `position`: what came after it is judged anew. Returns the newest hash. */
  restart(position: number, hash: string): string {
    const count = this.#ring.length;
    let current = hash;
    for (let i = 0; i < count; i++) {
      const slot = (this.#next + windowSize - count + i) % windowSize;
      const rolled = this.#ring[slot];
      if (!rolled || rolled.position <= position) continue;
      current = roll(current, rolled.leaf);
      this.#ring[slot] = { ...rolled, hash: current };
    }
    return current;
  }
}
