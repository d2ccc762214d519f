/** One measurement and what it is measured against in the same run. `ratio` = ours / limit. */
export interface Figure {
  readonly name: string;
  readonly ours: number;
  readonly limit: number;
  readonly ratio: number;
  readonly unit: string;
  readonly note?: string;
}

export interface Bench {
  readonly name: string;
  /** One line: what is measured, and against what. */
  readonly about: string;
  run(progress: (text: string) => void): Promise<readonly Figure[]>;
}

export function figure(name: string, ours: number, limit: number, unit: string, note?: string): Figure {
  return { name, ours: round(ours), limit: round(limit), ratio: round(ours / limit), unit, ...(note ? { note } : {}) };
}

/**
 * Of rounds that ours and the limit took by turns: medians, and as ratio the median of the ratios of each round, which a load that
 * comes and goes beside the bench does not move.
 */
export function pairedFigure(
  name: string,
  pairs: readonly { readonly ours: number; readonly limit: number }[],
  unit: string,
): Figure {
  const [ours, limit] = [pairs.map((pair) => pair.ours), pairs.map((pair) => pair.limit)];
  const ratios = pairs.map((pair) => pair.ours / pair.limit);
  const [low, high] = [quantile(ratios, 0.25), quantile(ratios, 0.75)];
  const note = `${pairs.length} rounds: ours ${spread(ours)}, limit ${spread(limit)}; half of the ratios in ${spread([low, high])}`;
  return { ...figure(name, median(ours), median(limit), unit, note), ratio: round(median(ratios)) };
}

const round = (value: number) => Number(value.toPrecision(4));

/** `q` in 0…1; the values need not be sorted. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Of an even number of values the mean of the middle two: the upper one would flatter. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** Smallest to largest, three digits each. */
export function spread(values: readonly number[]): string {
  const short = (value: number) => Number(value.toPrecision(3));
  return `${short(Math.min(...values))}–${short(Math.max(...values))}`;
}
