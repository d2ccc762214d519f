import type { ActionPlan } from '@tinkerbell/events';

/** `pending` also between two tries. */
export type ActionStatus =
  | 'pending'
  | 'awaiting-approval'
  | 'running'
  /** Its machine was started anew in the middle; a person decides. */
  | 'unknown'
  | 'success'
  | 'failed'
  | 'timeout'
  | 'cancelled'
  | 'skipped';

export type FinalStatus = 'success' | 'failed' | 'timeout' | 'cancelled';
export type WorkflowStatus = 'pending' | 'running' | FinalStatus;

/** `blocked`: pending, and nothing that may still happen lets it run. `ready`: every action that it needs has ended as it wants. */
export type Outlook = 'ended' | 'active' | 'ready' | 'waiting' | 'blocked';

/** Nothing more happens to it. */
export function hasEnded(status: ActionStatus): boolean {
  return status !== 'pending' && status !== 'awaiting-approval' && status !== 'running' && status !== 'unknown';
}

export function endedBadly(status: ActionStatus): boolean {
  return status === 'failed' || status === 'timeout' || status === 'cancelled';
}

type Node = Pick<ActionPlan, 'needs' | 'runs'>;

/** What may become of each action, in one pass: an action's needs come before it. */
export function outlooks(plans: readonly Node[], statuses: readonly ActionStatus[]): readonly Outlook[] {
  const found: Outlook[] = [];
  plans.forEach(({ needs, runs }, index) =>
    found.push(outlookOf(statuses[index] ?? 'pending', runs, needs, statuses, found)),
  );
  return found;
}

function outlookOf(
  status: ActionStatus,
  runs: ActionPlan['runs'],
  needs: readonly number[],
  statuses: readonly ActionStatus[],
  earlier: readonly Outlook[],
): Outlook {
  if (hasEnded(status)) return 'ended';
  if (status !== 'pending') return 'active';
  const settled = needs.every((need) => earlier[need] === 'ended' || earlier[need] === 'blocked');
  const lost = needs.some((need) => earlier[need] === 'blocked');
  switch (runs) {
    case 'success':
      // It need not wait for the others to know that it never will.
      if (lost || came(needs, statuses, 'failed', 'timeout', 'cancelled')) return 'blocked';
      return settled ? 'ready' : 'waiting';
    case 'failure':
      return settled ? (came(needs, statuses, 'failed', 'timeout') ? 'ready' : 'blocked') : 'waiting';
    case 'timeout':
      return settled ? (came(needs, statuses, 'timeout') ? 'ready' : 'blocked') : 'waiting';
    case 'always':
      return settled ? 'ready' : 'waiting';
  }
}

function came(
  needs: readonly number[],
  statuses: readonly ActionStatus[],
  ...wanted: readonly ActionStatus[]
): boolean {
  return needs.some((need) => wanted.includes(statuses[need] ?? 'pending'));
}

export interface Ending {
  readonly status: FinalStatus;
  /** The action that is to blame, the first one that ended badly. */
  readonly index: number | null;
}

/**
 * How the workflow ends, once nothing of it can run any more; undefined before. A failure does not stop what does not depend on it. When
 * it is cancelled nothing starts, so it ends with the last action that ran.
 */
export function endingOf(
  plans: readonly Node[],
  statuses: readonly ActionStatus[],
  cancelling: boolean,
): Ending | undefined {
  if (statuses.includes('running')) return undefined;
  if (!cancelling && outlooks(plans, statuses).some(isOpen)) return undefined;
  if (cancelling) {
    const index = statuses.indexOf('cancelled');
    return { status: 'cancelled', index: index < 0 ? null : index };
  }
  const index = statuses.findIndex((status) => status === 'failed' || status === 'timeout');
  return index < 0
    ? { status: 'success', index: null }
    : { status: statuses[index] === 'timeout' ? 'timeout' : 'failed', index };
}

function isOpen(outlook: Outlook): boolean {
  return outlook !== 'ended' && outlook !== 'blocked';
}

/** All actions that this one needs, directly or not, lowest first. */
export function ancestorsOf(index: number, plans: readonly Pick<ActionPlan, 'needs'>[]): readonly number[] {
  const found = new Set<number>();
  const look = (at: number): void => {
    for (const need of plans[at]?.needs ?? []) {
      if (found.has(need)) continue;
      found.add(need);
      look(need);
    }
  };
  look(index);
  return [...found].sort((a, b) => a - b);
}
