import type { ActionSpec, PlannedAction } from '@tinkerbell/events';
import { outlooks } from './graph';
import { fillIn, scopeOf } from './settle';
import { isTerminal, plansOf, type ActionState, type ExistingWorkflow, type WorkflowState } from './workflow-state';

export type NextStep =
  | {
      readonly kind: 'assignment';
      readonly workflowId: string;
      readonly index: number;
      readonly attempt: number;
      readonly total: number;
      /** Its references to outputs filled in. */
      readonly action: ActionSpec;
      readonly dataVersion: number;
      readonly destructive: boolean;
      readonly resumed: boolean;
      readonly secretNames: readonly string[];
    }
  /** To be recorded with AbandonAction before anything else. */
  | { readonly kind: 'abandon'; readonly index: number; readonly attempt: number; readonly startedAt: string }
  /** `reason` is for the worker's log; `until`: when to ask again at the latest, ISO 8601. */
  | { readonly kind: 'wait'; readonly reason: string; readonly until?: string };

export interface Asking {
  readonly workflowId: string;
  readonly workerId: string;
  readonly bootId: string;
  /** ISO 8601. */
  readonly now: string;
  /** What the worker is at work on in this workflow; undefined: it does one thing at a time and begins nothing beside it. */
  readonly busy?: readonly { readonly index: number; readonly attempt: number }[] | undefined;
}

/**
 * What this worker does next in this workflow. An action that runs is assigned again to the same boot of the same machine under the
 * same attempt: the worker finds its container and goes on.
 */
export function nextAssignment(state: WorkflowState, asking: Asking): NextStep {
  const { workflowId, workerId, bootId, busy } = asking;
  if (state.status === 'none') return { kind: 'wait', reason: `workflow ${workflowId} does not exist` };
  if (state.deleted) return { kind: 'wait', reason: `workflow ${workflowId} is deleted` };
  if (isTerminal(state.status)) return { kind: 'wait', reason: `workflow ${workflowId} has ended: ${state.status}` };
  const mine = state.actions.flatMap((action, index) =>
    action.running?.workerId === workerId && action.status === 'running' ? [{ index, running: action.running }] : [],
  );
  for (const { index, running } of mine) {
    const { attempt, startedAt } = running;
    if (running.bootId !== bootId) return { kind: 'abandon', index, attempt, startedAt };
  }
  const forgotten = mine.find(
    ({ index, running }) => !busy?.some((one) => one.index === index && one.attempt === running.attempt),
  );
  if (forgotten && !state.cancelling) return assignment(state, workflowId, forgotten.index, forgotten.running.attempt);
  if (state.cancelling) return { kind: 'wait', reason: `workflow ${workflowId} is being cancelled` };
  if (mine.length > 0 && busy === undefined) return { kind: 'wait', reason: `workflow ${workflowId} is at work` };
  return begin(state, asking);
}

function begin(state: ExistingWorkflow, { workflowId, workerId, now }: Asking): NextStep {
  if (state.paused) return { kind: 'wait', reason: `workflow ${workflowId} is paused` };
  const statuses = state.actions.map(({ status }) => status);
  const ready = outlooks(plansOf(state), statuses).flatMap((outlook, index) => {
    const [spec, action] = [state.created.actions[index], state.actions[index]];
    return outlook === 'ready' && spec?.workerId === workerId && action ? [{ index, spec, action }] : [];
  });
  const due = ready.find(({ action }) => action.retryAt === null || action.retryAt <= now);
  if (due) return assignment(state, workflowId, due.index, due.action.attempts + 1);
  const [soonest] = ready.toSorted((a, b) => (a.action.retryAt ?? '').localeCompare(b.action.retryAt ?? ''));
  if (soonest) return waitingForRetry(workflowId, soonest.spec, soonest.action);
  return { kind: 'wait', reason: waitingFor(state, workflowId, workerId) };
}

function waitingForRetry(workflowId: string, { plan }: PlannedAction, { retryAt, retried }: ActionState): NextStep {
  const reason = `workflow ${workflowId} tries ${plan.id} again at ${retryAt ?? ''}; it failed ${retried} times`;
  return { kind: 'wait', reason, ...(retryAt === null ? {} : { until: retryAt }) };
}

function assignment(state: ExistingWorkflow, workflowId: string, index: number, attempt: number): NextStep {
  const { created, actions, dataVersion } = state;
  const planned = created.actions[index];
  if (!planned) return { kind: 'wait', reason: `workflow ${workflowId} has no action ${index}` };
  const { plan, ...spec } = planned;
  return {
    kind: 'assignment',
    workflowId,
    index,
    attempt,
    total: created.actions.length,
    action: filledIn(spec, index, state),
    dataVersion,
    destructive: plan.destructive,
    resumed: actions[index]?.resumed ?? false,
    secretNames: Object.keys(plan.secrets),
  };
}

function filledIn(spec: ActionSpec, index: number, state: ExistingWorkflow): ActionSpec {
  const refers = (text: string): boolean => text.includes('${{');
  if (!spec.command.some(refers) && !spec.environment.some(refers)) return spec;
  const scope = scopeOf(index, state);
  const fill = (text: string): string => (refers(text) ? fillIn(text, scope) : text);
  return { ...spec, command: spec.command.map(fill), environment: spec.environment.map(fill) };
}

/** What keeps a workflow that has not ended from going on with this worker, for people. */
function waitingFor(state: ExistingWorkflow, workflowId: string, workerId: string): string {
  const { created, actions } = state;
  const mine = created.actions.some(
    (spec, index) => spec.workerId === workerId && actions[index]?.status === 'pending',
  );
  const blocker = created.actions.findIndex((_, index) =>
    ['running', 'unknown', 'awaiting-approval'].includes(actions[index]?.status ?? ''),
  );
  const at = blocker >= 0 ? blocker : created.actions.findIndex((_, index) => actions[index]?.status === 'pending');
  const spec = created.actions[at];
  if (!mine && spec?.workerId !== workerId) return `workflow ${workflowId} has nothing more for worker ${workerId}`;
  if (!spec) return `workflow ${workflowId} has nothing more for worker ${workerId}`;
  switch (actions[at]?.status) {
    case 'awaiting-approval':
      return `workflow ${workflowId} waits for the approval of ${spec.plan.id}`;
    case 'unknown':
      return `workflow ${workflowId} waits for a person to say what became of ${spec.plan.id}`;
    case 'running':
      return `workflow ${workflowId} waits for worker ${spec.workerId}, which runs action ${at} (${spec.plan.id})`;
    default:
      return `workflow ${workflowId} waits for worker ${spec.workerId}, which has to run action ${at} (${spec.plan.id})`;
  }
}
