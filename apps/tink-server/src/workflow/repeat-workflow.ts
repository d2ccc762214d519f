import { ancestorsOf, IllegalTransitionError, isTerminal } from '@tinkerbell/domain';
import type { CreateWorkflow, ExistingWorkflow } from '@tinkerbell/domain';
import type { ActionInherited } from '@tinkerbell/events';
import { actionIndex } from './action-index';

/**
 * The command that repeats an ended workflow: `from` null, all of it; an action, from there on; undefined, from where it went wrong. What
 * succeeded and does not build on that action is taken over with its outputs, and so is the ephemeral data.
 */
export function repeatWorkflow(state: ExistingWorkflow, id: string, from: string | null | undefined): CreateWorkflow {
  const { created, status, dataSha256, dataSize, dataVersion } = state;
  const { origin: _, ...snapshot } = created;
  if (from === null) return { type: 'CreateWorkflow', ...snapshot, origin: { workflowId: id, from: 0 } };
  if (!isTerminal(status)) throw new IllegalTransitionError('retry', `${status}: cancel it first`);
  const start = from === undefined ? firstToRepeat(state) : actionIndex(created.actions, from);
  if (start === undefined) throw new IllegalTransitionError('retry without an action to begin with', status);
  const plans = created.actions.map(({ plan }) => plan);
  const inherited = state.actions.flatMap((action, index): readonly ActionInherited['data'][] => {
    const again = index === start || ancestorsOf(index, plans).includes(start);
    if (again || action.status !== 'success') return [];
    return [{ index, workflowId: id, seconds: action.seconds, outputs: action.outputs }];
  });
  const data = dataVersion === 0 ? {} : { data: { sha256: dataSha256, size: dataSize } };
  return { type: 'CreateWorkflow', ...snapshot, origin: { workflowId: id, from: start }, inherited, ...data };
}

function firstToRepeat({ blame, actions }: ExistingWorkflow): number | undefined {
  if (blame !== null) return blame;
  const index = actions.findIndex(({ status }) => status !== 'success' && status !== 'skipped');
  return index < 0 ? undefined : index;
}
