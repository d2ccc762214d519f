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
  /** Bytes that are held. With it inputs must not leave anything behind. */
  readonly memory?: () => number;
}

export interface FuzzResult {
  readonly inputs: number;
  readonly taken: number;
  readonly refused: number;
  /** Inputs worth keeping, new ones only. */
  readonly found: readonly Uint8Array[];
  /** The input that took longest to check, garbage collection and compiling included. */
  readonly slowest: { readonly milliseconds: number; readonly input: Uint8Array };
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

const smallestBatch = 512;
/** Asking what ran costs as much as hundreds of inputs: the rarer something new is, the rarer it is asked. */
const largestBatch = 65_536;
/** Of the inputs from the first quarter on, all together: caches that fill up, and inputs that are kept. */
const mostLeft = 16 * 1024 * 1024;
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
  /** Parts for which an input was kept. */
  readonly #kept = new Set<string>();
  #inputs = 0;
  #taken = 0;
  #slowest: FuzzResult['slowest'] = { milliseconds: 0, input: new Uint8Array() };

  constructor(
    private readonly target: Target,
    private readonly options: FuzzOptions,
  ) {
    this.#random = new Random(options.seed);
    this.#pool = [...options.corpus];
  }

  all(): FuzzResult {
    const { count, everyLength, onProgress, memory } = this.options;
    for (const [i, whole] of this.#pool.entries()) {
      for (let length = whole.length; length >= (everyLength ? 0 : whole.length); length--)
        this.#try(whole.subarray(0, length), `packet ${i}`);
    }
    this.#reach();
    let before: { readonly bytes: number; readonly inputs: number } | undefined;
    for (let size = smallestBatch; this.#inputs < count;) {
      if (memory && !before && this.#inputs >= count / 4) before = { bytes: memory(), inputs: this.#inputs };
      const isNew = this.#batch(Math.min(size, count - this.#inputs));
      size = isNew ? smallestBatch : Math.min(2 * size, largestBatch);
      onProgress?.(this.#inputs);
    }
    if (memory && before) expectNoneLeft(memory() - before.bytes, this.#inputs - before.inputs);
    const [inputs, taken] = [this.#inputs, this.#taken];
    return { inputs, taken, refused: inputs - taken, found: this.#found, slowest: this.#slowest };
  }

  /** Whether one of them reached something new. */
  #batch(size: number): boolean {
    const tried = Array.from({ length: size }, () => {
      const bytes = this.#next();
      this.#try(bytes, `seed ${this.options.seed}, input ${this.#inputs}`);
      return bytes;
    });
    const parts = this.#reach();
    if (parts.size > 0) this.#keep(tried, parts);
    return parts.size > 0;
  }

  /** Keeps, of inputs that reach `parts` between them, the ones that do; what ran only once, or by chance, is lost. */
  #keep(inputs: readonly Uint8Array[], parts: ReadonlySet<string>): void {
    for (const bytes of inputs) this.target.check(bytes);
    const ran = this.options.coverage?.() ?? new Set();
    const reached = new Set([...parts].filter((part) => ran.has(part)));
    if (reached.size === 0) return;
    const [only] = inputs;
    if (inputs.length > 1) {
      const half = inputs.length >> 1;
      this.#keep(inputs.slice(0, half), reached);
      const left = new Set([...reached].filter((part) => !this.#kept.has(part)));
      if (left.size > 0) this.#keep(inputs.slice(half), left);
    } else if (only) {
      for (const part of reached) this.#kept.add(part);
      this.#found.push(only);
      this.#pool.push(only);
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
    const start = performance.now();
    if (named(bytes, place, () => this.target.check(bytes))) this.#taken++;
    const milliseconds = performance.now() - start;
    if (milliseconds > this.#slowest.milliseconds) this.#slowest = { milliseconds, input: bytes };
  }
}

function expectNoneLeft(bytes: number, inputs: number): void {
  if (bytes <= mostLeft) return;
  const left = `${(bytes / 2 ** 20).toFixed(0)} MiB are held that were not before the last ${inputs} inputs`;
  throw new FuzzFailure(undefined, 'memory', left);
}

function named<T>(input: Uint8Array | undefined, place: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new FuzzFailure(input, place, error);
  }
}
