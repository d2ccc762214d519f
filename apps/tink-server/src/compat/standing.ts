import type { ExistingWorkflow } from '@tinkerbell/domain';
import type { ActionSpec } from '@tinkerbell/events';

/** Where a workflow stands: all that the originals' calls are translated by. */
export interface Standing {
  readonly specs: readonly ActionSpec[];
  /** Indexes of the actions that run. */
  readonly running: readonly number[];
  /** Index of the action that is to be started next; undefined when there is none, or one runs. */
  readonly next: number | undefined;
  /** Index of the action that ended last; 0 before any has. */
  readonly last: number;
  /** How often an action was started. */
  started(index: number): number;
}

export function standingOf(state: ExistingWorkflow): Standing {
  const { created, running, ended, current, attempts } = state;
  const waits = running === null && ended === null && current < created.actions.length;
  return {
    specs: created.actions,
    running: running ? [running.index] : [],
    next: waits ? current : undefined,
    last: Math.max(ended?.index ?? current - 1, 0),
    started: (index) => attempts[index] ?? 0,
  };
}
