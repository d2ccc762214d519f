import type { RetryPolicy } from '@tinkerbell/events';
import type { FinishAction } from './workflow-commands';
import type { ActionState, ExistingWorkflow } from './workflow-state';

/** When the next try may start, ISO 8601; undefined when there is none. What was refused is refused again: it is not tried. */
export function retryAfter(
  { outcome, reason, exitCode, finishedAt, now = finishedAt }: FinishAction,
  policy: RetryPolicy | null,
  { retried }: ActionState,
  { cancelling }: ExistingWorkflow,
): string | undefined {
  if (policy === null || cancelling || retried >= policy.limit || reason === 'refused') return undefined;
  if (outcome === 'timed-out' && !policy.onTimeout) return undefined;
  const { exitCodes } = policy;
  if (outcome === 'failed' && exitCodes !== null && (exitCode === null || !exitCodes.includes(exitCode)))
    return undefined;
  return new Date(Date.parse(now) + pauseSeconds(policy, retried + 1) * 1000).toISOString();
}

/** Before try `n` of those that follow the first, from 1. */
export function pauseSeconds({ delaySeconds, factor, maxDelaySeconds }: RetryPolicy, n: number): number {
  return Math.min(delaySeconds * factor ** (n - 1), maxDelaySeconds);
}
