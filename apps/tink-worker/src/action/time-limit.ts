/** Node's timers overflow at 2^31 ms, 24.8 days; a limit may be longer. */
const longestTimerMs = 2 ** 31 - 1;

/** A signal that is aborted after `ms`, at once when that is not positive. */
export function timeLimit(ms: number): { readonly signal: AbortSignal; readonly clear: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const arm = (leftMs: number) => {
    if (leftMs <= 0) return controller.abort(new Error('out of time'));
    const stepMs = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => arm(leftMs - stepMs), stepMs);
  };
  arm(ms);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
