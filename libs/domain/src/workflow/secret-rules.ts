import { ForbiddenError, IllegalTransitionError, NotFoundError, NotYetError } from '../errors';
import { mayStart } from './action-rules';
import { isTerminal, type WorkflowState } from './workflow-state';

/**
 * Environment variable → name of the secret, for an attempt that runs, to the worker that runs it. Also while the workflow is being
 * cancelled: a worker that was started anew masks its output with them. Throws DomainError.
 */
export function secretsOf(
  state: WorkflowState,
  ask: { readonly workflowId: string; readonly workerId: string; readonly index: number; readonly attempt: number },
): Readonly<Record<string, string>> {
  const { workflowId, workerId, index, attempt } = ask;
  if (state.status === 'none') throw new NotFoundError('workflow', workflowId);
  const [spec, action] = [state.created.actions[index], state.actions[index]];
  if (!spec || !action || spec.workerId !== workerId) {
    throw new ForbiddenError(`action ${index} of workflow ${workflowId} is not assigned to worker ${workerId}`);
  }
  const what = `giving out the secrets of ${spec.plan.id}, attempt ${attempt},`;
  if (state.deleted) throw new IllegalTransitionError(what, 'the workflow is deleted');
  if (action.status === 'running' && action.running?.attempt === attempt) return spec.plan.secrets;
  const comes = action.status === 'pending' && attempt === action.attempts + 1 && !isTerminal(state.status);
  if (comes && !state.cancelling && mayStart(index, state)) {
    throw new NotYetError(what, 'the log does not have the start of this action yet');
  }
  throw new IllegalTransitionError(what, `the action is ${action.status}, with ${action.attempts} attempts begun`);
}
