import { hasEnded, isTerminal, outlooks } from '@tinkerbell/domain';
import type { WorkflowRow } from './rows';

/** The workflows that a worker has to do with and that have not ended, in the order in which it serves them: begun, then oldest. */
export function workOrder(rows: readonly WorkflowRow[]): readonly WorkflowRow[] {
  return rows
    .filter(({ status, deletedAt }) => !isTerminal(status) && deletedAt === null)
    .sort((a, b) => Number(hasBegun(b)) - Number(hasBegun(a)) || a.createdPosition - b.createdPosition);
}

export function workersOf({ actions }: Pick<WorkflowRow, 'actions'>): readonly string[] {
  return [...new Set(actions.map(({ spec }) => spec.workerId))];
}

/** Machines that the workflow may still need. One that has begun keeps them: another workflow could wipe what it has built. */
export function machinesHeld(row: WorkflowRow): readonly string[] {
  if (isTerminal(row.status) || !hasBegun(row) || row.deletedAt !== null) return [];
  return [...new Set(openActions(row.actions).map(({ spec }) => spec.workerId))];
}

function hasBegun({ status, machinesTaken }: WorkflowRow): boolean {
  return status === 'running' || machinesTaken;
}

function openActions(actions: WorkflowRow['actions']): WorkflowRow['actions'] {
  const found = outlooks(
    actions.map(({ spec }) => spec.plan),
    actions.map(({ status }) => status),
  );
  return actions.filter((_, index) => found[index] !== 'ended' && found[index] !== 'blocked');
}

/**
 * Why a worker gets nothing, when there is no unfinished workflow for it. `ended`: it had one; `last`: the one that ended last, when that
 * is known.
 */
export function idleReason(
  workerId: string,
  known: boolean,
  ended: boolean,
  last?: Pick<WorkflowRow, 'id' | 'status'>,
): string {
  if (!known) return `no hardware ${workerId} is registered: the worker id must be the id of a hardware record`;
  if (!ended) return 'no workflow for this machine';
  const which = last ? `, the last one (${last.id}) with ${last.status}` : '';
  return `all workflows of this machine have ended${which}`;
}

/** Where a workflow stands in the queue of one of its machines. */
export interface QueuePlace {
  readonly workerId: string;
  /** The workflow that has to end first. */
  readonly behind: string;
  /** From 1, the one that the machine is at work on. */
  readonly position: number;
}

/**
 * What a workflow that is not finished waits for, for people; null when an action of it runs. `ahead`: for a worker, its workflows in the
 * order in which it serves them. `ready`: that worker has reported from the machine.
 */
export function waitingReason(
  row: WorkflowRow,
  ahead: (workerId: string) => readonly WorkflowRow[],
  ready: (workerId: string) => boolean,
): string | null {
  if (isTerminal(row.status) || row.deletedAt !== null) return null;
  if (row.cancelling) return 'its worker to stop what runs: the workflow is being cancelled';
  const open = openActions(row.actions);
  if (open.some(({ status }) => status === 'running')) return null;
  if (row.paused) return 'tink workflow resume: it is paused';
  const asked = open.find(({ status }) => status === 'awaiting-approval');
  if (asked) return `the approval of ${asked.spec.plan.id}: ${asked.message}`;
  const lost = open.find(({ status }) => status === 'unknown');
  if (lost)
    return `tink workflow resolve: nobody knows what became of ${lost.spec.plan.id}, its machine was started anew`;
  const place = queuePlace(row, ahead);
  if (place) {
    return `workflow ${place.behind} on machine ${place.workerId}, position ${place.position} in its queue`;
  }
  const next = row.actions[row.current];
  if (!next || hasEnded(next.status)) return null;
  if (next.retryAt !== null) return `the next try of ${next.spec.plan.id} at ${next.retryAt}`;
  const worker = `worker ${next.spec.workerId}`;
  return ready(next.spec.workerId)
    ? `${worker} to ask for work`
    : `${worker} to come up: the machine has not booted into its worker yet`;
}

/** Where it waits behind another workflow; undefined when it is first on all its machines. */
export function queuePlace(
  row: WorkflowRow,
  ahead: (workerId: string) => readonly WorkflowRow[],
): QueuePlace | undefined {
  const begun = hasBegun(row);
  for (const workerId of workersOf(row)) {
    const queue = ahead(workerId).filter((other) => other.id === row.id || !begun || hasBegun(other));
    const index = queue.findIndex(({ id }) => id === row.id);
    const [first] = queue;
    if (index > 0 && first) return { workerId, behind: first.id, position: index + 1 };
  }
  return undefined;
}
