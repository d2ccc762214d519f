import { queuePlace, waitingReason, workOrder, type QueuePlace, type WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide } from '../read-side';

export type WorkflowView = Omit<WorkflowRow, 'position' | 'createdPosition'> & {
  readonly waiting: string | null;
  readonly queue: QueuePlace | null;
};

/** A workflow as the API shows it: the row, and what it waits for when it waits. */
export function workflowView(reads: ReadSide, row: WorkflowRow): WorkflowView {
  const { position: _, createdPosition: _created, ...rest } = row;
  const known = new Map<string, readonly WorkflowRow[]>();
  const ahead = (workerId: string) => {
    const queue = known.get(workerId) ?? workOrder(reads.workflows.findAll(`open:${workerId}`));
    known.set(workerId, queue);
    return queue;
  };
  const ready = (workerId: string) => reads.machines.get(workerId)?.step === 'worker';
  const waiting = waitingReason(row, ahead, ready);
  // Nothing waits that has ended or runs: the other workflows of its machines are not looked at.
  return { ...rest, waiting, queue: (waiting !== null && queuePlace(row, ahead)) || null };
}
