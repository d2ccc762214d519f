import { outlooks } from '@tinkerbell/domain';
import type { AnyEvent, Recorded } from '@tinkerbell/events';
import {
  hardwareList,
  leaseList,
  machineList,
  workflowList,
  type HardwareRow,
  type LeaseRow,
  type MachineRow,
  type Projection,
  type ActionRow,
  type WorkflowRow,
} from '@tinkerbell/projections';

/** The rows that the events make: who plays in the story. */
export interface Scene {
  readonly machines: ReadonlyMap<string, MachineRow>;
  readonly hardware: ReadonlyMap<string, HardwareRow>;
  readonly workflows: ReadonlyMap<string, WorkflowRow>;
  /** By address. */
  readonly leases: ReadonlyMap<string, LeaseRow>;
}

export function sceneOf(events: readonly Recorded<AnyEvent>[]): Scene {
  return {
    machines: rowsOf(machineList, events),
    hardware: rowsOf(hardwareList, events),
    workflows: rowsOf(workflowList, events),
    leases: rowsOf(leaseList, events),
  };
}

/** All rows of a projection, by key, as they are after these events. */
export function rowsOf<E extends AnyEvent, Row>(
  projection: Projection<E, Row>,
  events: readonly Recorded<AnyEvent>[],
): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const recorded of events) foldInto(rows, projection, recorded);
  return rows;
}

/** The row of `rows`, by key, that the event touches is what it is after it. */
export function foldInto<E extends AnyEvent, Row>(
  rows: Map<string, Row>,
  projection: Projection<E, Row>,
  recorded: Recorded<AnyEvent>,
): void {
  const reads = (each: Recorded<AnyEvent>): each is Recorded<AnyEvent> & Recorded<E> =>
    projection.aggregates.some((aggregate) => aggregate === each.aggregate);
  const key = reads(recorded) ? projection.key(recorded) : undefined;
  if (key === undefined || !reads(recorded)) return;
  const row = projection.evolve(rows.get(key), recorded);
  if (row === undefined) rows.delete(key);
  else rows.set(key, row);
}

export const isEnded = ({ finishedAt, deletedAt }: WorkflowRow) => finishedAt !== null || deletedAt !== null;

const hasBegun = ({ startedAt, machinesTaken }: WorkflowRow) => startedAt !== null || machinesTaken;

/** Workflows of a machine that have not ended, in the order in which it serves them: what has begun, then the oldest. */
export function queueOf({ workflows }: Scene, machineId: string): readonly WorkflowRow[] {
  return [...workflows.values()]
    .filter((row) => !isEnded(row) && concerns(row, machineId))
    .sort((a, b) => Number(hasBegun(b)) - Number(hasBegun(a)) || a.createdPosition - b.createdPosition);
}

/** Where a workflow waits behind another one of a machine. */
export interface Place {
  readonly machineId: string;
  readonly behind: string;
  /** From 1, the one that the machine is at work on. */
  readonly position: number;
}

/** Undefined when it is first on all its machines. What has begun waits only for what has begun too. */
export function placeOf(scene: Scene, row: WorkflowRow): Place | undefined {
  const { id } = row;
  for (const machineId of new Set(row.actions.map(({ spec }) => spec.workerId))) {
    const queue = queueOf(scene, machineId).filter((other) => other.id === id || !hasBegun(row) || hasBegun(other));
    const index = queue.findIndex((other) => other.id === id);
    const [first] = queue;
    if (index > 0 && first) return { machineId, behind: first.id, position: index + 1 };
  }
  return undefined;
}

/** Actions of which something may still come. */
export function openActions({ actions }: WorkflowRow): readonly ActionRow[] {
  const found = outlooks(
    actions.map(({ spec }) => spec.plan),
    actions.map(({ status }) => status),
  );
  return actions.filter((_, index) => found[index] !== 'ended' && found[index] !== 'blocked');
}

/** The workflow that a machine is about: the first that has not ended, else the one that ended last. */
export function workflowOf(scene: Scene, machineId: string): WorkflowRow | undefined {
  const [first] = queueOf(scene, machineId);
  if (first) return first;
  return [...scene.workflows.values()]
    .filter((row) => row.deletedAt === null && concerns(row, machineId))
    .reduce<WorkflowRow | undefined>((a, b) => (a && a.position > b.position ? a : b), undefined);
}

/** The machine on whose turn a workflow is, or was last. */
export function machineOf({ actions, current }: WorkflowRow): string | undefined {
  return (actions[current] ?? actions.at(-1))?.spec.workerId;
}

function concerns({ actions }: WorkflowRow, machineId: string): boolean {
  return actions.some(({ spec }) => spec.workerId === machineId);
}
