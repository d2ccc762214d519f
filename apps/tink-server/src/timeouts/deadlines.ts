import type { WorkflowRow } from '@tinkerbell/projections';

/** The next thing that happens to a running workflow if nobody reports. `at`: milliseconds since 1970. */
export type Deadline =
  | { readonly kind: 'workflow'; readonly at: number }
  | {
      readonly kind: 'action';
      readonly at: number;
      readonly index: number;
      readonly attempt: number;
      readonly startedAt: number;
    };

/**
 * The earliest deadline; undefined when none is running. Counts from when the log took the start, not from the worker's clock. An
 * action gets its own timeout plus `graceSeconds`: its worker ends it in time, this is for a worker that no longer can.
 */
export function nextDeadline(row: WorkflowRow, graceSeconds: number): Deadline | undefined {
  if (row.status !== 'running' || row.deletedAt !== null) return undefined;
  const global = globalDeadline(row);
  const action = actionDeadline(row, graceSeconds);
  if (!global || !action) return global ?? action;
  return global.at <= action.at ? global : action;
}

function globalDeadline({ globalTimeoutSeconds, startedAt }: WorkflowRow): Deadline | undefined {
  if (globalTimeoutSeconds === 0 || startedAt === null) return undefined;
  return { kind: 'workflow', at: Date.parse(startedAt) + globalTimeoutSeconds * 1000 };
}

function actionDeadline({ actions, current }: WorkflowRow, graceSeconds: number): Deadline | undefined {
  const action = actions[current];
  if (action?.status !== 'running' || action.startedAt === null) return undefined;
  const startedAt = Date.parse(action.startedAt);
  const at = startedAt + (action.spec.timeoutSeconds + graceSeconds) * 1000;
  return { kind: 'action', at, index: current, attempt: action.attempt, startedAt };
}
