import type { WorkflowEvent } from '@tinkerbell/events';
import { ForbiddenError, IllegalTransitionError, InvalidError, NotYetError } from '../errors';
import type { WorkflowCommand } from './workflow-commands';
import { at } from './action-rules';
import { isTerminal, type ExistingWorkflow } from './workflow-state';

/** Bytes of ephemeral data, as many as one version may have. */
export const maxDataBytes = 10_485_760;

/**
 * A worker may set the data while its action runs, or after it succeeded and before the next one starts; so an older action's copy
 * never replaces a newer one's. Reports travel another way than data does: data may overtake the start of its action, and is then told to
 * come again. An operator may at any time. The same content again is nothing.
 */
export function putData(
  command: Extract<WorkflowCommand, { readonly type: 'PutData' }>,
  state: ExistingWorkflow,
): readonly WorkflowEvent[] {
  const { type, workerId, index, sha256, size } = command;
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new InvalidError('sha256', 'sha256 must be 64 lower-case hex digits');
  if (!Number.isInteger(size) || size < 2) throw new InvalidError('data', 'workflow data must be a JSON object');
  if (size > maxDataBytes) throw new InvalidError('data', `workflow data is ${size} bytes, more than ${maxDataBytes}`);
  const by = index === null || workerId === null ? undefined : { index, workerId };
  const spec = by && state.created.actions[by.index];
  if (by && !spec) throw new InvalidError('index', `there is no action ${by.index}`);
  if (by && spec?.workerId !== by.workerId) {
    throw new ForbiddenError(`action ${by.index} is assigned to worker ${spec?.workerId}, not to ${by.workerId}`);
  }
  if (sha256 === state.dataSha256) return [];
  if (by && isAhead(by.index, state)) {
    throw new NotYetError(`${type} of action ${by.index}`, 'the log does not have the start of this action yet');
  }
  if (by && !isNewest(by.index, state)) {
    throw new IllegalTransitionError(`${type} of action ${by.index}`, at(state));
  }
  const data = {
    version: state.dataVersion + 1,
    sha256,
    size,
    workerId: workerId ?? '',
    task: spec?.task ?? '',
    action: spec?.name ?? '',
  };
  return [{ type: 'WorkflowDataUpdated', v: 1, data }];
}

/** Its start has not reached the log: nothing speaks against that it runs. */
function isAhead(index: number, state: ExistingWorkflow): boolean {
  return !isTerminal(state.status) && !state.cancelling && state.actions[index]?.status === 'pending';
}

/** It runs, or it succeeded and nothing that builds on it has begun. */
function isNewest(index: number, state: ExistingWorkflow): boolean {
  const status = state.actions[index]?.status;
  if (isTerminal(state.status) && state.status !== 'success') return false;
  if (status === 'running') return true;
  if (status !== 'success') return false;
  return state.created.actions.every(
    ({ plan }, other) => !plan.needs.includes(index) || (state.actions[other]?.attempts ?? 0) === 0,
  );
}
