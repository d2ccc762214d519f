import { queuePlace, waitingReason, workOrder, type QueuePlace, type WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide } from '../read-side';

export type WorkflowView = Omit<WorkflowRow, 'position' | 'createdPosition'> & {
  readonly waiting: string | null;
  readonly queue: QueuePlace | null;
};

/** A workflow as the API shows it: the row, and what it waits for when it waits. */
export function workflowView(reads: ReadSide, row: WorkflowRow): WorkflowView {
  const { position: _, createdPosition: _created, ...rest } = row;
  const ahead = (workerId: string) => workOrder(reads.workflows.findAll(`worker:${workerId}`));
  const ready = (workerId: string) => reads.machines.get(workerId)?.step === 'worker';
  const open = row.status === 'pending' || row.status === 'running';
  return {
    ...rest,
    waiting: waitingReason(row, ahead, ready),
    queue: (open && row.deletedAt === null && queuePlace(row, ahead)) || null,
  };
}
