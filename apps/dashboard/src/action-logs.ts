import type { OutputLine } from './wire';

/** The output of actions, as it was and as it comes. */
export abstract class ActionLogs {
  /** Lines of one action after `after` (0 = from the first), oldest first, then new ones, until the signal aborts. */
  abstract follow(
    workflowId: string,
    index: number,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncIterable<OutputLine>;
}
