/** How often one event is sent at most. */
export const maxAttempts = 12;

const firstMs = 1_000;
const slowestMs = 600_000;
const longestRetryAfterMs = 3_600_000;

/**
 * Milliseconds until the next try after `attempt` (from 1) failed: 1 s, doubled each time up to 10 min, half of it by chance so that those
 * who failed together do not come back together; at least what `Retry-After` asks for, up to an hour. `random`: 0 to 1.
 */
export function backOffMs(attempt: number, random: number, retryAfterMs = 0): number {
  const full = Math.min(firstMs * 2 ** (attempt - 1), slowestMs);
  return Math.max(Math.round(full * (0.5 + random / 2)), Math.min(retryAfterMs, longestRetryAfterMs));
}

/** RFC 9110 §10.2.3: seconds, or a date; undefined when it is neither. */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(at - now, 0);
}
