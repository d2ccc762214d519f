import { pause } from '@tinkerbell/messaging';

/** How patient the worker is. All in milliseconds; specs use small ones. */
export interface Pace {
  /** First and longest pause between tries of anything that may come back: the bus, the server, a registry. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** Longest pause between two questions for work, when no wake-up comes. */
  readonly idleMs: number;
  /** How often a running action asks whether it may go on. */
  readonly stateMs: number;
  readonly requestMs: number;
  /** From SIGTERM to SIGKILL for a container that ran out of time. */
  readonly stopGraceMs: number;
  /** How long a stop waits for reports to be acknowledged; they stay in the journal. */
  readonly closeMs: number;
  /** How long a reboot waits for the server to say that the result is in the log. */
  readonly confirmMs: number;
}

export const defaultPace: Pace = {
  retryMs: 250,
  maxRetryMs: 5_000,
  idleMs: 5_000,
  stateMs: 5_000,
  requestMs: 5_000,
  stopGraceMs: 10_000,
  closeMs: 10_000,
  confirmMs: 120_000,
};

/** A pause before try `n` (from 1): doubling, capped. */
export function backoffMs(pace: Pick<Pace, 'retryMs' | 'maxRetryMs'>, n: number): number {
  const full = Math.min(pace.maxRetryMs, pace.retryMs * 2 ** Math.min(n - 1, 20));
  return jitter(full);
}

/** A little less, so that a rack does not come back in step. */
export function jitter(ms: number): number {
  return Math.round(ms * (0.8 + 0.2 * Math.random()));
}

/** Tries until it works or the signal is aborted; `failed` hears of every failure. Aborted: rejects with the last failure. */
export async function insist<T>(
  pace: Pick<Pace, 'retryMs' | 'maxRetryMs'>,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  failed: (error: unknown, tries: number) => void,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw error;
      failed(error, tries);
      await pause(backoffMs(pace, tries), signal);
      if (signal.aborted) throw error;
    }
  }
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
