/** Seconds since `fromMs` on the wall clock, counted from now on by a clock that nobody sets. */
export function stopwatch(fromMs: number): () => number {
  const before = Math.max(0, Date.now() - fromMs);
  const start = performance.now();
  return () => Math.round(before + performance.now() - start) / 1000;
}
