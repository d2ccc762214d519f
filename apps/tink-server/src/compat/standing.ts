import { currentIndex, isTerminal, mayStart, type ExistingWorkflow } from '@tinkerbell/domain';
import type { ActionSpec, PlannedAction } from '@tinkerbell/events';

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
  const { created, actions, blame, status } = state;
  const running = actions.flatMap((action, index) => (action.status === 'running' ? [index] : []));
  const next = isTerminal(status) ? -1 : actions.findIndex((_, index) => mayStart(index, state));
  return {
    specs: created.actions,
    running,
    next: running.length > 0 || next < 0 ? undefined : next,
    last: Math.max(blame ?? currentIndex(state) - 1, 0),
    started: (index) => actions[index]?.attempts ?? 0,
  };
}

/** Workers of the originals cannot ask for permits and secrets: what needs them is not for them. */
export function isForOriginals({ plan }: PlannedAction): boolean {
  return !plan.destructive && Object.keys(plan.secrets).length === 0;
}
