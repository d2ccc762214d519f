import type { WorkflowEvent } from '@tinkerbell/events';
import { IllegalTransitionError } from '../errors';
import { outlooks } from './graph';
import type { WorkflowCommand } from './workflow-commands';
import { isTerminal, plansOf, type ExistingWorkflow, type WorkflowState } from './workflow-state';

/** Each once, in the order of its actions. */
export function machinesOf({ created }: Pick<ExistingWorkflow, 'created'>): readonly string[] {
  return [...new Set(created.actions.map(({ workerId }) => workerId))];
}

/** One machine waits for no other: then there is nothing to take. */
export function takeMachines(
  { index }: Extract<WorkflowCommand, { readonly type: 'TakeMachines' }>,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  if (isTerminal(state.status)) throw new IllegalTransitionError('TakeMachines', state.status);
  if (state.cancelling) throw new IllegalTransitionError('TakeMachines', 'the workflow is being cancelled');
  const workerIds = machinesOf(state);
  if (state.machinesTaken || state.status === 'running' || workerIds.length < 2) return [];
  if (state.paused) throw new IllegalTransitionError('TakeMachines', 'paused');
  return [{ type: 'MachinesTaken', v: 2, data: { workerIds, index } }];
}

/** It has begun and may still need the machine: another workflow could wipe what it has built, or wait for it in a circle. */
export function keepsMachine(workerId: string, state: WorkflowState): boolean {
  if (state.status === 'none' || state.deleted || isTerminal(state.status)) return false;
  if (state.status === 'pending' && !state.machinesTaken) return false;
  const found = outlooks(
    plansOf(state),
    state.actions.map(({ status }) => status),
  );
  return state.created.actions.some(
    (spec, index) => spec.workerId === workerId && found[index] !== 'ended' && found[index] !== 'blocked',
  );
}
