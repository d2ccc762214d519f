import type { FailureReason } from '@tinkerbell/events';
import type { FinishedReport } from '@tinkerbell/messaging';

/** How the run of one container ended. */
export type Ending =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly oomKilled: boolean; readonly engineError: string }
  | { readonly kind: 'timed-out'; readonly exitCode: number | null }
  /** The server said that it must not go on. */
  | { readonly kind: 'refused'; readonly why: string; readonly exitCode: number | null }
  /** The workflow is being cancelled. `how` it was stopped, for people. */
  | { readonly kind: 'cancelled'; readonly why: string; readonly how: string; readonly exitCode: number | null }
  /** It ended with 0 and what it left for later actions cannot be taken. */
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'broken'; readonly reason: FailureReason; readonly message: string };

/** The worker stops but the container goes on; the next worker takes it up again. Not a result. */
export class DetachedError extends Error {
  override readonly name = 'DetachedError';
}

const maxMessage = 200;

export interface Result {
  readonly outcome: FinishedReport['outcome'];
  readonly reason: FailureReason | null;
  readonly exitCode: number | null;
  /** At most 200 characters. */
  readonly message: string;
}

/** What is reported of an ending. `own`: what the action itself left as text; `lastError`: its last line on stderr; `masked`: hides secrets. */
export function resultOf(
  ending: Ending,
  own: string,
  lastError: string,
  timeoutSeconds: number,
  masked: (text: string) => string = (text) => text,
): Result {
  // Masked before it is cut: half a secret would not be found.
  const short = (text: string) => cut(masked(text));
  const failed = (reason: FailureReason, exitCode: number | null, message: string): Result => {
    return { outcome: 'failed', reason, exitCode, message: short(message) };
  };
  switch (ending.kind) {
    case 'broken':
      return failed(ending.reason, null, ending.message);
    case 'refused':
      return failed('refused', ending.exitCode, `stopped on the server's word: ${ending.why}`);
    case 'cancelled': {
      const message = short(`${ending.how}: ${ending.why}`);
      return { outcome: 'cancelled', reason: null, exitCode: ending.exitCode, message };
    }
    case 'unusable':
      return failed('refused', 0, ending.why);
    case 'timed-out': {
      const text = `no end after ${timeoutSeconds} seconds`;
      const message = short(own === '' ? text : `${text}: ${own}`);
      return { outcome: 'timed-out', reason: null, exitCode: ending.exitCode, message };
    }
    case 'exited':
      if (ending.exitCode === 0) return { outcome: 'succeeded', reason: null, exitCode: 0, message: '' };
      return failed('exit', ending.exitCode, exitMessage(ending, own || lastError));
  }
}

function exitMessage(ending: { exitCode: number; oomKilled: boolean; engineError: string }, text: string): string {
  if (ending.oomKilled) return `killed by the kernel, out of memory${text === '' ? '' : `: ${text}`}`;
  return text || ending.engineError || `ended with exit code ${ending.exitCode}`;
}

function cut(text: string): string {
  const characters = [...text];
  return characters.length <= maxMessage ? text : `${characters.slice(0, maxMessage - 1).join('')}…`;
}
