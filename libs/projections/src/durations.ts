/**
 * How often something was timed and how long it took: a histogram of bounded size. Key of a bucket: its number b, which counts the
 * durations of at least `growth`^b seconds and less than `growth`^(b+1); what is shorter than a millisecond counts as one.
 */
export interface DurationRow {
  readonly count: number;
  readonly buckets: Readonly<Record<string, number>>;
}

/** One thing that took so long. */
export interface Measure {
  readonly key: string;
  readonly seconds: number;
}

/** What usually is; seconds, within 5 %. */
export interface Usual {
  readonly median: number;
  readonly p90: number;
  readonly count: number;
}

/** From a millisecond to a month that makes at most 230 buckets. */
const growth = 1.1;
const shortest = 0.001;

export function addDuration(row: DurationRow | undefined, seconds: number): DurationRow {
  const bucket = String(Math.floor(Math.log(Math.max(seconds, shortest)) / Math.log(growth)));
  const { count = 0, buckets = {} } = row ?? {};
  return { count: count + 1, buckets: { ...buckets, [bucket]: (buckets[bucket] ?? 0) + 1 } };
}

/** Undefined when it never happened. */
export function usualOf(row: DurationRow | undefined): Usual | undefined {
  if (!row || row.count === 0) return undefined;
  const sorted = Object.entries(row.buckets)
    .map(([bucket, times]) => ({ bucket: Number(bucket), times }))
    .sort((a, b) => a.bucket - b.bucket);
  return { median: quantile(sorted, row.count, 0.5), p90: quantile(sorted, row.count, 0.9), count: row.count };
}

function quantile(
  sorted: readonly { readonly bucket: number; readonly times: number }[],
  count: number,
  q: number,
): number {
  let left = Math.max(1, Math.ceil(q * count));
  const found = sorted.find(({ times }) => (left -= times) <= 0);
  // The middle of the bucket.
  return Number((growth ** ((found?.bucket ?? 0) + 0.5)).toPrecision(3));
}
