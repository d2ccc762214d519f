import { isTerminal } from '@tinkerbell/domain';
import type { WorkflowRow } from '@tinkerbell/projections';

/** The workflows that a worker has to do with and that have not ended, in the order in which it serves them: running, then oldest. */
export function workOrder(rows: readonly WorkflowRow[]): readonly WorkflowRow[] {
  return rows
    .filter(({ status, deletedAt }) => !isTerminal(status) && deletedAt === null)
    .sort(
      (a, b) =>
        Number(b.status === 'running') - Number(a.status === 'running') || a.createdPosition - b.createdPosition,
    );
}

/** Why a worker gets nothing, when there is no unfinished workflow for it. */
export function idleReason(workerId: string, known: boolean, rows: readonly WorkflowRow[]): string {
  if (!known) return `no hardware ${workerId} is registered: the worker id must be the id of a hardware record`;
  const ended = rows.filter(({ deletedAt }) => deletedAt === null);
  const last = ended.toSorted((a, b) => a.updatedAt.localeCompare(b.updatedAt)).at(-1);
  if (!last) return 'no workflow for this machine';
  const one =
    ended.length === 1 ? 'the only workflow of this machine has' : `all ${ended.length} workflows of this machine have`;
  return `${one} ended, the last one (${last.id}) with ${last.status}`;
}

/**
 * What a workflow that is not finished waits for, for people; null when its action runs. `ahead`: the workflows of the current action's
 * worker in the order in which it serves them. `ready`: that worker has reported from the machine.
 */
export function waitingReason(row: WorkflowRow, ahead: readonly WorkflowRow[], ready: boolean): string | null {
  const action = row.actions[row.current];
  if (isTerminal(row.status) || row.deletedAt !== null || !action || action.status === 'running') return null;
  const worker = `worker ${action.spec.workerId}`;
  const first = ahead[0];
  if (first && first.id !== row.id) return `${worker} has to finish workflow ${first.id} first`;
  return ready ? `${worker} to ask for work` : `${worker} to come up: the machine has not booted into its worker yet`;
}
