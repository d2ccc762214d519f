import { isTerminal, outlooks } from '@tinkerbell/domain';
import type { WorkflowDelayed } from '@tinkerbell/events';
import type { ActionRow, MachineRow, WorkflowRow } from '@tinkerbell/projections';

/** What happens to a workflow if nobody reports or decides. `at`: milliseconds since 1970. */
export type Deadline =
  | { readonly kind: 'workflow'; readonly at: number }
  /** `cancel`: its worker has not confirmed that it stopped the action. */
  | {
      readonly kind: 'action' | 'cancel';
      readonly at: number;
      readonly index: number;
      readonly attempt: number;
      readonly startedAt: number;
    }
  /** The next try is due: its worker is told. */
  | { readonly kind: 'retry'; readonly at: number; readonly index: number; readonly workerId: string }
  | {
      readonly kind: 'delay';
      readonly at: number;
      readonly cause: WorkflowDelayed['data']['cause'];
      readonly workerId: string;
      readonly since: number;
    };

/** Seconds. 0 for the delays: they are not recorded. */
export interface Patience {
  /** Beyond an action's timeout: its worker ends it in time, this is for a worker that no longer can. */
  readonly action: number;
  readonly cancel: number;
  readonly boot: number;
  readonly worker: number;
}

type MachineOf = (workerId: string) => Pick<MachineRow, 'step' | 'updatedAt'> | undefined;

/** The earliest deadline; undefined when there is none. Everything counts from the log's clock, not from a worker's. */
export function nextDeadline(row: WorkflowRow, patience: Patience, machineOf: MachineOf): Deadline | undefined {
  if (isTerminal(row.status) || row.deletedAt !== null) return undefined;
  const all = [
    ...globalDeadline(row),
    ...row.actions.flatMap((action, index) => actionDeadline(row, action, index, patience)),
    ...(row.paused || row.cancelling ? [] : readyDeadlines(row, patience, machineOf)),
  ];
  return all.reduce<Deadline | undefined>((first, next) => (first && first.at <= next.at ? first : next), undefined);
}

function globalDeadline({ globalTimeoutSeconds, startedAt }: WorkflowRow): readonly Deadline[] {
  if (globalTimeoutSeconds === 0 || startedAt === null) return [];
  return [{ kind: 'workflow', at: Date.parse(startedAt) + globalTimeoutSeconds * 1000 }];
}

function actionDeadline(
  { cancelling, cancelRequestedAt }: WorkflowRow,
  { status, startedAt: started, attempt, spec }: ActionRow,
  index: number,
  patience: Patience,
): readonly Deadline[] {
  if (status !== 'running' || started === null) return [];
  const startedAt = Date.parse(started);
  if (cancelling && cancelRequestedAt !== null) {
    const at = Date.parse(cancelRequestedAt) + patience.cancel * 1000;
    return [{ kind: 'cancel', at, index, attempt, startedAt }];
  }
  const at = startedAt + (spec.timeoutSeconds + patience.action) * 1000;
  return [{ kind: 'action', at, index, attempt, startedAt }];
}

/** Of what could start now: when its next try is due, and when it is late. */
function readyDeadlines(row: WorkflowRow, patience: Patience, machineOf: MachineOf): readonly Deadline[] {
  const plans = row.actions.map(({ spec }) => spec.plan);
  const found = outlooks(
    plans,
    row.actions.map(({ status }) => status),
  );
  const ready = row.actions.flatMap((action, index) => (found[index] === 'ready' ? [{ action, index }] : []));
  const workers = [...new Set(ready.map(({ action }) => action.spec.workerId))];
  return [
    ...ready.flatMap(({ action: { retryAt, spec }, index }): readonly Deadline[] =>
      retryAt === null ? [] : [{ kind: 'retry', at: Date.parse(retryAt), index, workerId: spec.workerId }],
    ),
    ...workers.flatMap((workerId) => delayOf(row, workerId, patience, machineOf(workerId))),
  ];
}

function delayOf(
  row: WorkflowRow,
  workerId: string,
  patience: Patience,
  machine: Pick<MachineRow, 'step' | 'updatedAt'> | undefined,
): readonly Deadline[] {
  const changed = Date.parse(row.updatedAt);
  const step = machine?.step ?? 'off';
  const seen = machine ? Math.max(changed, Date.parse(machine.updatedAt) || 0) : changed;
  const waits = { off: 'machine-never-booted', worker: 'worker-silent' } as const;
  const cause = step === 'off' || step === 'worker' ? waits[step] : 'worker-never-showed-up';
  const since = step === 'off' ? changed : seen;
  const seconds = step === 'off' ? patience.boot : patience.worker;
  if (seconds === 0 || row.delays.some((delay) => delay.cause === cause && delay.workerId === workerId)) return [];
  return [{ kind: 'delay', at: since + seconds * 1000, cause, workerId, since }];
}

export const delayTexts: Readonly<Record<WorkflowDelayed['data']['cause'], string>> = {
  'machine-never-booted':
    'the machine has not asked for an address: is it powered on, and does it boot from its network card?',
  'worker-never-showed-up': 'the machine began to boot, and its worker has not come up',
  'worker-silent': 'the worker came up, and does not begin this workflow',
};
