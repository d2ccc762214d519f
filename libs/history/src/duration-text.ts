/** Largest first, with their seconds. */
export const timeUnits = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** `3d`, `5h12m`, `4m10s`, `12s`: at most two units, so that columns stay narrow. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const first = timeUnits.findIndex(([, size]) => whole >= size);
  const [unit, size] = timeUnits[first] ?? ['s', 1];
  const rest = whole % size;
  const [nextUnit, nextSize] = timeUnits[first + 1] ?? ['', 0];
  const second = nextSize > 0 ? Math.floor(rest / nextSize) : 0;
  return `${Math.floor(whole / size)}${unit}${second > 0 && whole < 10 * size ? `${second}${nextUnit}` : ''}`;
}

/** How long an action took: tenths below ten seconds. */
export function took(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)}s` : duration(seconds);
}
