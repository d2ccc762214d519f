import { isTerminal, outlooks } from '@tinkerbell/domain';
import type { WorkflowDelayed } from '@tinkerbell/events';
import {
  comingDelays,
  startLimitOf,
  type ActionRow,
  type Delay,
  type DelaySeconds,
  type MachineOf,
  type WorkflowRow,
} from '@tinkerbell/projections';

/** What happens to a workflow if nobody reports or decides. `at`: milliseconds since 1970. */
export type Deadline =
  | { readonly kind: 'workflow'; readonly at: number }
  /** `start`: its worker has not said that it began. `cancel`: nor confirmed that it stopped the action. */
  | {
      readonly kind: 'action' | 'start' | 'cancel';
      readonly at: number;
      readonly index: number;
      readonly attempt: number;
      readonly startedAt: number;
    }
  /** The next try is due: its worker is told. */
  | { readonly kind: 'retry'; readonly at: number; readonly index: number; readonly workerId: string }
  | ({ readonly kind: 'delay' } & Delay);

/** Seconds. 0 for the delays: they are not recorded. */
export interface Patience extends DelaySeconds {
  /** Beyond an action's timeout: its worker ends it in time, this is for a worker that no longer can. */
  readonly action: number;
  readonly cancel: number;
}

/** The earliest deadline; undefined when there is none. Everything counts from the log's clock, not from a worker's. */
export function nextDeadline(row: WorkflowRow, patience: Patience, machineOf: MachineOf): Deadline | undefined {
  if (isTerminal(row.status) || row.deletedAt !== null) return undefined;
  const all = [
    ...globalDeadline(row),
    ...row.actions.flatMap((action, index) => actionDeadline(row, action, index, patience)),
    ...startDeadline(row, patience),
    ...(row.paused || row.cancelling ? [] : retries(row)),
    ...comingDelays(row, patience, machineOf).map((delay) => ({ kind: 'delay' as const, ...delay })),
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

function startDeadline(row: WorkflowRow, patience: Patience): readonly Deadline[] {
  const limit = startLimitOf(row, patience.action);
  if (!limit) return [];
  const { at, index, since } = limit;
  return [{ kind: 'start', at, index, attempt: 1, startedAt: since }];
}

/** Of what could start now: when its next try is due. */
function retries(row: WorkflowRow): readonly Deadline[] {
  const found = outlooks(
    row.actions.map(({ spec }) => spec.plan),
    row.actions.map(({ status }) => status),
  );
  return row.actions.flatMap(({ retryAt, spec }, index): readonly Deadline[] =>
    found[index] !== 'ready' || retryAt === null
      ? []
      : [{ kind: 'retry', at: Date.parse(retryAt), index, workerId: spec.workerId }],
  );
}

export const delayTexts: Readonly<Record<WorkflowDelayed['data']['cause'], string>> = {
  'machine-never-booted':
    'the machine has not asked for an address: is it powered on, and does it boot from its network card?',
  'worker-never-showed-up': 'the machine began to boot, and its worker has not come up',
  'worker-silent': 'the worker came up, and does not begin this workflow',
};
