import type { Entry } from '@tinkerbell/event-store';
import { queuePlace, waitingReason, type PlaceAt, type QueuePlace, type WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide } from '../read-side';

interface Standing {
  readonly waiting: string | null;
  readonly queue: QueuePlace | null;
}

/** A workflow as the API shows it: the row, and what it waits for when it waits. */
export type WorkflowView = WorkflowRow & Standing;

/** A `WorkflowView` as JSON. `open`: it may not have ended; else its row is not even looked at. */
export function workflowText(reads: ReadSide, entry: Entry<WorkflowRow>, open: boolean): string {
  const { waiting, queue } = open ? standing(reads, entry.row) : atRest;
  return `${entry.json.slice(0, -1)},"waiting":${JSON.stringify(waiting)},"queue":${JSON.stringify(queue)}}`;
}

const atRest: Standing = { waiting: null, queue: null };

function standing(reads: ReadSide, row: WorkflowRow): Standing {
  const placeAt = placeOf(reads, row.id);
  const ready = (workerId: string) => reads.machines.get(workerId)?.step === 'worker';
  const waiting = waitingReason(row, placeAt, ready);
  // Nothing waits that runs: the other workflows of its machines are not looked at.
  return { waiting, queue: (waiting !== null && queuePlace(row, placeAt)) || null };
}

/** Where a workflow stands in the queues of its workers; each is looked at once. */
export function placeOf({ workflows }: ReadSide, id: string): PlaceAt {
  const known = new Map<string, ReturnType<PlaceAt>>();
  return (workerId) => {
    if (known.has(workerId)) return known.get(workerId);
    const found = workflows.place(`queue:${workerId}`, id);
    const place = found && { behind: found.first, position: found.position };
    known.set(workerId, place);
    return place;
  };
}
