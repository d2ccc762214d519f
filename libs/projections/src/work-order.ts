import { hasEnded, isTerminal, outlooks } from '@tinkerbell/domain';
import type { MachineRow, WorkflowRow } from './rows';

/** The workflows that a worker has to do with and that have not ended, in the order in which it serves them: begun, then oldest. */
export function workOrder(rows: readonly WorkflowRow[]): readonly WorkflowRow[] {
  return rows.filter(isOpen).sort((a, b) => workRank(a) - workRank(b));
}

export function isOpen({ status, deletedAt }: Pick<WorkflowRow, 'status' | 'deletedAt'>): boolean {
  return !isTerminal(status) && deletedAt === null;
}

/** No position of a log reaches it, and with one added it is still a safe integer. */
const afterAllPositions = 2 ** 50;

/** The lower, the earlier a worker serves it. */
export function workRank(row: WorkflowRow): number {
  return row.createdPosition + (hasBegun(row) ? 0 : afterAllPositions);
}

function hasBegun({ status, machinesTaken }: Pick<WorkflowRow, 'status' | 'machinesTaken'>): boolean {
  return status === 'running' || machinesTaken;
}

export function workersOf({ actions }: Pick<WorkflowRow, 'actions'>): readonly string[] {
  return [...new Set(actions.map(({ spec }) => spec.workerId))];
}

/** Machines that the workflow may still need. One that has begun keeps them: another workflow could wipe what it has built. */
export function machinesHeld(
  row: Pick<WorkflowRow, 'status' | 'machinesTaken' | 'deletedAt' | 'actions'>,
): readonly string[] {
  if (isTerminal(row.status) || !hasBegun(row) || row.deletedAt !== null) return [];
  return [...new Set(openActions(row.actions).map(({ spec }) => spec.workerId))];
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

/** What a workflow waits for as far as its own row says. */
export interface Wait {
  readonly workers: readonly string[];
  /** For this, whatever its place in the queues of its workers. */
  readonly reason: string | null;
  /** For this when it is first in all of them. */
  readonly retry: string | null;
  /** Else for this worker. */
  readonly next: string | null;
}

/** Undefined when an action of it runs, or nothing will any more. */
export function waitOf(row: WorkflowRow): Wait | undefined {
  if (!isOpen(row)) return undefined;
  const workers = workersOf(row);
  const forReason = (reason: string) => ({ workers, reason, retry: null, next: null });
  if (row.cancelling) return forReason('its worker to stop what runs: the workflow is being cancelled');
  const open = openActions(row.actions);
  if (open.some(({ status }) => status === 'running')) return undefined;
  if (row.paused) return forReason('tink workflow resume: it is paused');
  const asked = open.find(({ status }) => status === 'awaiting-approval');
  if (asked) return forReason(`the approval of ${asked.spec.plan.id}: ${asked.message}`);
  const lost = open.find(({ status }) => status === 'unknown');
  if (lost) {
    const { id } = lost.spec.plan;
    return forReason(`tink workflow resolve: nobody knows what became of ${id}, its machine was started anew`);
  }
  const next = row.actions[row.current];
  if (!next || hasEnded(next.status)) return { workers, reason: null, retry: null, next: null };
  const retry = next.retryAt === null ? null : `the next try of ${next.spec.plan.id} at ${next.retryAt}`;
  return { workers, reason: null, retry, next: next.spec.workerId };
}

/** Where a workflow stands in the queue of one of its machines. */
export interface QueuePlace {
  readonly workerId: string;
  /** The workflow that has to end first. */
  readonly behind: string;
  /** From 1, the one that the machine is at work on. */
  readonly position: number;
}

/** Where a workflow stands in the queue of a worker; undefined when it is first. */
export type PlaceAt = (workerId: string) => Omit<QueuePlace, 'workerId'> | undefined;

export interface Standing {
  /** What it waits for, for people. */
  readonly waiting: string | null;
  readonly queue: QueuePlace | null;
}

type MachineOf = (workerId: string) => Pick<MachineRow, 'step' | 'registered'> | undefined;

export function standingOf(wait: Wait | undefined, placeAt: PlaceAt, machineOf: MachineOf): Standing {
  if (!wait) return { waiting: null, queue: null };
  const queue = queuePlace(wait.workers, placeAt) ?? null;
  return { waiting: wait.reason ?? turnOf(wait, queue, machineOf), queue };
}

function turnOf({ retry, next }: Wait, queue: QueuePlace | null, machineOf: MachineOf): string | null {
  if (queue) return `workflow ${queue.behind} on machine ${queue.workerId}, position ${queue.position} in its queue`;
  if (retry !== null || next === null) return retry;
  const machine = machineOf(next);
  if (!machine?.registered)
    return `hardware ${next} to be pushed again: it has no record, and its machine gets no answer`;
  return machine.step === 'worker'
    ? `worker ${next} to ask for work`
    : `worker ${next} to come up: the machine has not booted into its worker yet`;
}

/** Where it waits behind another workflow; undefined when it is first on all its machines. */
export function queuePlace(workers: readonly string[], placeAt: PlaceAt): QueuePlace | undefined {
  for (const workerId of workers) {
    const place = placeAt(workerId);
    if (place) return { workerId, ...place };
  }
  return undefined;
}

/** Where it stands among the workflows of one worker. */
export function placeAmong(rows: readonly WorkflowRow[], { id }: WorkflowRow): ReturnType<PlaceAt> {
  const queue = workOrder(rows);
  const index = queue.findIndex((other) => other.id === id);
  const [first] = queue;
  return index > 0 && first ? { behind: first.id, position: index + 1 } : undefined;
}
