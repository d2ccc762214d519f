import type { ActionSpec } from '@tinkerbell/events';
import { isTerminal, type ExistingWorkflow, type WorkflowState } from './workflow-state';

export type NextStep =
  | {
      readonly kind: 'assignment';
      readonly workflowId: string;
      readonly index: number;
      readonly attempt: number;
      readonly total: number;
      readonly action: ActionSpec;
      readonly dataVersion: number;
    }
  /** To be recorded with AbandonAction before anything else. */
  | { readonly kind: 'abandon'; readonly index: number; readonly attempt: number; readonly startedAt: string }
  /** `reason` is for the worker's log. */
  | { readonly kind: 'wait'; readonly reason: string };

/**
 * What this worker does next in this workflow. An action that runs is assigned again to the same boot of the same machine under the
 * same attempt: the worker finds its container and goes on.
 */
export function nextAssignment(state: WorkflowState, workflowId: string, workerId: string, bootId: string): NextStep {
  if (state.status === 'none' || state.deleted) {
    return {
      kind: 'wait',
      reason: `workflow ${workflowId} ${state.status === 'none' ? 'does not exist' : 'is deleted'}`,
    };
  }
  const { current, running, created, attempts, dataVersion } = state;
  const action = created.actions[current];
  if (isTerminal(state.status) || !action) {
    return { kind: 'wait', reason: `workflow ${workflowId} has ended: ${state.status}` };
  }
  if (action.workerId !== workerId) return { kind: 'wait', reason: waitingFor(state, action, workflowId, workerId) };
  if (running && running.bootId !== bootId) {
    return { kind: 'abandon', index: current, attempt: running.attempt, startedAt: running.startedAt };
  }
  const attempt = running ? running.attempt : (attempts[current] ?? 0) + 1;
  return {
    kind: 'assignment',
    workflowId,
    index: current,
    attempt,
    total: created.actions.length,
    action,
    dataVersion,
  };
}

function waitingFor(
  { current, created, running }: ExistingWorkflow,
  action: ActionSpec,
  workflowId: string,
  workerId: string,
): string {
  const later = created.actions.slice(current).some((spec) => spec.workerId === workerId);
  if (!later) return `workflow ${workflowId} has nothing more for worker ${workerId}`;
  const doing = running ? 'runs' : 'has to run';
  return `workflow ${workflowId} waits for worker ${action.workerId}, which ${doing} action ${current} (${action.task}/${action.name})`;
}
