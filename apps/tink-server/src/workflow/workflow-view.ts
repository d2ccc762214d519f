import type { WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide } from '../read-side';
import { waitingReason, workOrder } from '../workers/work-order';

export type WorkflowView = Omit<WorkflowRow, 'position' | 'createdPosition'> & { readonly waiting: string | null };

/** A workflow as the API shows it: the row, and what it waits for when it waits. */
export function workflowView(reads: ReadSide, row: WorkflowRow): WorkflowView {
  const { position: _, createdPosition: _created, ...rest } = row;
  return { ...rest, waiting: waiting(reads, row) };
}

function waiting(reads: ReadSide, row: WorkflowRow): string | null {
  const action = row.actions[row.current];
  // Nothing waits that has ended or runs: the other workflows of its machine are not looked at.
  if (!action || action.status === 'running' || row.finishedAt !== null || row.deletedAt !== null) return null;
  const { workerId } = action.spec;
  const ahead = workOrder(reads.workflows.findAll(`worker:${workerId}`));
  return waitingReason(row, ahead, reads.machines.get(workerId)?.step === 'worker');
}
