import type { Entry } from '@tinkerbell/event-store';
import { standingOf, type PlaceAt, type Standing, type Wait, type WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide } from '../read-side';

/** A workflow as the API shows it: the row, and what it waits for when it waits. */
export type WorkflowView = WorkflowRow & Standing;

/** A `WorkflowView` as JSON, in two pieces, made without a look at the row. */
export function workflowPieces(
  reads: ReadSide,
  { key, json, brief }: Entry<WorkflowRow>,
): readonly [row: string, standing: string] {
  // What the projection stored.
  const wait = brief === null ? undefined : (JSON.parse(brief) as Wait);
  const { waiting, queue } = standingOf(wait, placeOf(reads, key), (workerId) => reads.machines.get(workerId));
  return [json.slice(0, -1), `,"waiting":${JSON.stringify(waiting)},"queue":${JSON.stringify(queue)}}`];
}

/** Where a workflow stands in the queues of its workers. */
export function placeOf({ workflows }: ReadSide, id: string): PlaceAt {
  return (workerId) => {
    const place = workflows.place(`queue:${workerId}`, id);
    return place && { behind: place.first, position: place.position };
  };
}
