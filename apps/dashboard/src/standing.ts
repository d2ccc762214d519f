import { isTerminal } from '@tinkerbell/domain';
import { placeAmong, queuePlace, waitingReason, type QueuePlace, type WorkflowRow } from '@tinkerbell/projections';
import type { DashboardPorts } from './dashboard-ports';

export interface Standing {
  readonly waiting: string | null;
  readonly queue: QueuePlace | null;
}

/** What a workflow waits for, and where it stands in the queue of a machine. */
export function standingOf(row: WorkflowRow, { workflows, machines }: DashboardPorts): Standing {
  if (isTerminal(row.status)) return { waiting: null, queue: null };
  const placeAt = (workerId: string) => placeAmong(workflows.findAll(`queue:${workerId}`), row);
  const ready = (workerId: string) => machines.get(workerId)?.step === 'worker';
  return { waiting: waitingReason(row, placeAt, ready), queue: queuePlace(row, placeAt) ?? null };
}
