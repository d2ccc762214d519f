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
  const round = (value: number) => Number(value.toPrecision(4));
  return { name, ours: round(ours), limit: round(limit), ratio: round(ours / limit), unit, ...(note ? { note } : {}) };
}

/** `q` in 0…1; the values need not be sorted. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

/** Smallest to largest, three digits each. */
export function spread(values: readonly number[]): string {
  const short = (value: number) => Number(value.toPrecision(3));
  return `${short(Math.min(...values))}–${short(Math.max(...values))}`;
}
