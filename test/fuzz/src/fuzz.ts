import { mutate } from './mutate';
import { Random } from './random';
import type { Target } from './target';

export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  /** Real packets, and inputs that once reached something new or broke something. */
  readonly corpus: readonly Uint8Array[];
  /** Try each packet of the corpus cut off at every byte too. */
  readonly everyLength: boolean;
  /** Which parts of the code ran since it was last asked. Without it nothing is added to the corpus. */
  readonly coverage?: () => ReadonlySet<string>;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzResult {
  readonly inputs: number;
  readonly taken: number;
  readonly refused: number;
  /** Inputs worth keeping, new ones only. */
  readonly found: readonly Uint8Array[];
}

/** What was being tried when a promise broke. */
export class FuzzFailure extends Error {
  constructor(
    readonly input: Uint8Array | undefined,
    readonly place: string,
    cause: unknown,
  ) {
    super(`${place}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`, { cause });
  }
}

const batchSize = 512;
/** Parents of mutations; new ones displace old ones beyond it. */
const maxPool = 2048;

/**
 * The corpus, then generated and mutated ones: those first that reached parts of the
 * code which none before them had reached. Throws FuzzFailure.
 */
export function fuzz(target: Target, options: FuzzOptions): FuzzResult {
  return new Run(target, options).all();
}

class Run {
  readonly #random: Random;
  readonly #pool: Uint8Array[];
  readonly #found: Uint8Array[] = [];
  readonly #reached = new Set<string>();
  #inputs = 0;
  #taken = 0;

  constructor(
    private readonly target: Target,
    private readonly options: FuzzOptions,
  ) {
    this.#random = new Random(options.seed);
    this.#pool = [...options.corpus];
  }

  all(): FuzzResult {
    const { count, everyLength, onProgress } = this.options;
    for (const [i, whole] of this.#pool.entries()) {
      for (let length = whole.length; length >= (everyLength ? 0 : whole.length); length--)
        this.#try(whole.subarray(0, length), `packet ${i}`);
    }
    this.#reach();
    while (this.#inputs < count) {
      this.#batch(Math.min(batchSize, count - this.#inputs));
      onProgress?.(this.#inputs);
    }
    const [inputs, taken] = [this.#inputs, this.#taken];
    return { inputs, taken, refused: inputs - taken, found: this.#found };
  }

  #batch(size: number): void {
    const tried = Array.from({ length: size }, () => {
      const bytes = this.#next();
      this.#try(bytes, `seed ${this.options.seed}, input ${this.#inputs}`);
      return bytes;
    });
    const left = this.#reach();
    for (const bytes of left.size > 0 ? tried : []) {
      this.target.check(bytes);
      const parts = this.options.coverage?.() ?? left;
      if ([...parts].filter((part) => left.delete(part)).length === 0) continue;
      this.#found.push(bytes);
      this.#pool.push(bytes);
      if (this.#pool.length > maxPool) this.#pool.shift();
    }
  }

  /** The parts that were reached for the first time since the last call. */
  #reach(): Set<string> {
    const parts = this.options.coverage?.() ?? new Set();
    const fresh = new Set([...parts].filter((part) => !this.#reached.has(part)));
    for (const part of fresh) this.#reached.add(part);
    return fresh;
  }

  #next(): Uint8Array {
    const random = this.#random;
    if (random.chance(4)) {
      return named(undefined, `seed ${this.options.seed}, input ${this.#inputs}`, () => this.target.generate(random));
    }
    const parent = random.pick(this.#pool) ?? new Uint8Array();
    return mutate(parent, random.pick(this.#pool) ?? parent, random, this.target.longest);
  }

  #try(bytes: Uint8Array, place: string): void {
    this.#inputs++;
    if (named(bytes, place, () => this.target.check(bytes))) this.#taken++;
  }
}

function named<T>(input: Uint8Array | undefined, place: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new FuzzFailure(input, place, error);
  }
}
