export interface RetryPolicy {
  readonly attempts: number;
  readonly delaySeconds: number;
}

export const defaultRetry: RetryPolicy = { attempts: 10, delaySeconds: 3 };

/**
 * Lines that run `command` until it succeeds, then go on after them; after the last attempt they go to the label `failed`.
 * A link that is slow to come up and a server that is restarting are the usual reasons.
 */
export function retried(
  label: string,
  command: string,
  what: string,
  { attempts, delaySeconds }: RetryPolicy,
): string[] {
  return [
    `set attempt:int32 1`,
    `:${label}`,
    `${command} && goto ${label}_done ||`,
    `echo Tinkerbell: ${what} failed, attempt \${attempt} of ${attempts}: \${errno}`,
    `iseq \${attempt} ${attempts} && goto failed ||`,
    `inc attempt`,
    `sleep ${delaySeconds}`,
    `goto ${label}`,
    `:${label}_done`,
  ];
}

/** Where `retried` ends up in the end: say so, wait so that it can be read, start over. */
export function failureLines(): string[] {
  return [
    ':failed',
    'echo Tinkerbell: giving up, does this machine reach boots by HTTP? Restarting in 30 seconds.',
    'sleep 30',
    'reboot',
  ];
}
