import { isTerminal, outlooks } from '@tinkerbell/domain';
import type { WorkflowDelayed } from '@tinkerbell/events';
import type { MachineRow, WorkflowRow } from './rows';

/** Seconds after which a workflow counts as late; 0: never. */
export interface DelaySeconds {
  /** For a machine that has not begun to boot. */
  readonly boot: number;
  /** For a worker that has not come up, or does not begin. */
  readonly worker: number;
}

/** When a workflow will be recorded as late. Milliseconds since 1970. */
export interface Delay {
  readonly at: number;
  readonly cause: WorkflowDelayed['data']['cause'];
  readonly workerId: string;
  readonly since: number;
}

export type MachineOf = (workerId: string) => Pick<MachineRow, 'step' | 'updatedAt'> | undefined;

/** One for each machine whose turn it is; whether another workflow has the machine is not looked at. */
export function comingDelays(row: WorkflowRow, seconds: DelaySeconds, machineOf: MachineOf): readonly Delay[] {
  if (isTerminal(row.status) || row.deletedAt !== null || row.paused || row.cancelling) return [];
  const found = outlooks(
    row.actions.map(({ spec }) => spec.plan),
    row.actions.map(({ status }) => status),
  );
  const ready = row.actions.filter((_, index) => found[index] === 'ready');
  const workers = [...new Set(ready.map(({ spec }) => spec.workerId))];
  return workers.flatMap((workerId) => delayOf(row, workerId, seconds, machineOf(workerId)));
}

/**
 * When the action is given up that the workflow took its machines for and whose worker has not said that it began: as long after it was
 * handed out as if it had. Milliseconds since 1970.
 */
export function startLimitOf(
  row: Pick<WorkflowRow, 'status' | 'deletedAt' | 'paused' | 'cancelling' | 'handedOut' | 'actions'>,
  graceSeconds: number,
): { readonly at: number; readonly index: number; readonly since: number } | undefined {
  const { handedOut, paused, cancelling, status, deletedAt } = row;
  const action = handedOut === null ? undefined : row.actions[handedOut.index];
  if (handedOut === null || action?.status !== 'pending' || action.attempt > 0) return undefined;
  if (isTerminal(status) || deletedAt !== null || paused || cancelling) return undefined;
  const since = Date.parse(handedOut.at);
  return { at: since + (action.spec.timeoutSeconds + graceSeconds) * 1000, index: handedOut.index, since };
}

function delayOf(
  row: WorkflowRow,
  workerId: string,
  { boot, worker }: DelaySeconds,
  machine: ReturnType<MachineOf>,
): readonly Delay[] {
  const changed = Date.parse(row.updatedAt);
  const step = machine?.step ?? 'off';
  const seen = machine ? Math.max(changed, Date.parse(machine.updatedAt) || 0) : changed;
  // In its own system it is as far from the workflow as one that is off.
  const isAway = step === 'off' || step === 'disk';
  const cause = isAway ? 'machine-never-booted' : step === 'worker' ? 'worker-silent' : 'worker-never-showed-up';
  const since = isAway ? changed : seen;
  const seconds = isAway ? boot : worker;
  if (seconds === 0 || row.delays.some((delay) => delay.cause === cause && delay.workerId === workerId)) return [];
  return [{ at: since + seconds * 1000, cause, workerId, since }];
}
