import type { Json, JsonObject, WorkflowEvent } from '@tinkerbell/events';
import { evaluate, isTruthy, parseExpression, type ExpressionScope } from './expression';
import { ancestorsOf, outlooks } from './graph';
import { evolveWorkflow, isTerminal, plansOf, type ExistingWorkflow } from './workflow-state';

/**
 * What follows by itself from what has just been decided, to be stored with it: conditions that are not met, approvals that are asked for,
 * and the end of the workflow. Returns all events.
 */
export function withConsequences(
  before: ExistingWorkflow | { readonly status: 'none' },
  decided: readonly WorkflowEvent[],
): readonly WorkflowEvent[] {
  if (decided.length === 0) return decided;
  const events = [...decided];
  let state = decided.reduce(evolveWorkflow, before);
  if (state.status === 'none' || state.deleted) return events;
  const wasOpen = before.status === 'none' || !isTerminal(before.status);
  if (!wasOpen || decided.some(({ type }) => type === 'WorkflowFinished')) return events;
  for (let event = consequence(state); event; event = consequence(state)) {
    events.push(event);
    const next = evolveWorkflow(state, event);
    if (next.status === 'none') break;
    state = next;
  }
  if (isTerminal(state.status)) events.push(finished(state));
  return events;
}

function consequence(state: ExistingWorkflow): WorkflowEvent | undefined {
  if (state.cancelling || isTerminal(state.status)) return undefined;
  const plans = plansOf(state);
  const statuses = state.actions.map(({ status }) => status);
  for (const [index, outlook] of outlooks(plans, statuses).entries()) {
    const [plan, action] = [plans[index], state.actions[index]];
    if (outlook !== 'ready' || !plan || !action || action.attempts > 0 || action.approved) continue;
    if (plan.condition !== '' && !isMet(plan.condition, index, state)) {
      return { type: 'ActionSkipped', v: 1, data: { index, by: 'condition', reason: `${plan.condition} is false` } };
    }
    if (plan.approval !== null) {
      return { type: 'ActionApprovalRequested', v: 1, data: { index, message: plan.approval } };
    }
  }
  return undefined;
}

function finished(state: ExistingWorkflow): WorkflowEvent {
  const { status, blame } = state;
  if (status === 'pending' || status === 'running') throw new Error(`a workflow that is ${status} has not finished`);
  const action = blame === null ? undefined : state.created.actions[blame];
  const name = action?.plan.id ?? 'the workflow';
  return { type: 'WorkflowFinished', v: 1, data: { status, index: blame, reason: `${name} ${endings[status]}` } };
}

const endings = { success: 'succeeded', failed: 'failed', timeout: 'timed out', cancelled: 'was cancelled' } as const;

/** An expression that cannot be read is not met: a template with one is refused, so only an altered log has any. */
function isMet(condition: string, index: number, state: ExistingWorkflow): boolean {
  try {
    return isTruthy(evaluate(parseExpression(condition), scopeOf(index, state)));
  } catch {
    return false;
  }
}

/** What the conditions and references of an action see: the actions that it needs, directly or not, all of which have ended. */
export function scopeOf(index: number, state: ExistingWorkflow): ExpressionScope {
  const plans = plansOf(state);
  const ancestors = ancestorsOf(index, plans);
  const byId = (read: (index: number) => JsonObject): Record<string, JsonObject> =>
    Object.fromEntries(ancestors.map((ancestor) => [plans[ancestor]?.id ?? '', read(ancestor)]));
  const statuses = ancestors.map((ancestor) => state.actions[ancestor]?.status ?? 'pending');
  return {
    actions: byId((ancestor): JsonObject => {
      const { status = 'pending', exitCode = null, attempts = 0, seconds = 0 } = state.actions[ancestor] ?? {};
      return { status, exitCode, attempts, seconds };
    }),
    outputs: byId((ancestor) => state.actions[ancestor]?.outputs ?? {}),
    success: statuses.every((status) => status === 'success' || status === 'skipped'),
    failure: statuses.some((status) => status === 'failed' || status === 'timeout'),
  };
}

const reference = /\$\{\{(.*?)\}\}/gs;

/** Fills in every `${{ expression }}`: a text as it is, everything else as JSON; what is not there becomes nothing. */
export function fillIn(text: string, scope: ExpressionScope): string {
  return text.replace(reference, (whole, expression: string) => {
    try {
      return shown(evaluate(parseExpression(expression), scope));
    } catch {
      return whole;
    }
  });
}

function shown(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
