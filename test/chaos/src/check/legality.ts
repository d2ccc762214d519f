import { isTerminal, workflowDecider, type WorkflowCommand, type WorkflowState } from '@tinkerbell/domain';
import type { Recorded, WorkflowEvent } from '@tinkerbell/events';

/** What may still be said of a workflow that has ended. */
const afterTheEnd: readonly string[] = [
  'ActionHandlerFinished',
  'ReportRefused',
  'WorkflowDataUpdated',
  'WorkflowDeleted',
  // With the commit that brings the end about.
  'WorkflowFinished',
];

/**
 * Steps that the rules do not allow: each start and each result of a worker is asked of the decider again, in the state before it, and
 * nothing but a few kinds of facts may follow the end.
 */
export function illegalSteps(events: readonly Recorded<WorkflowEvent>[]): readonly string[] {
  const faults: string[] = [];
  let state: WorkflowState = workflowDecider.initial;
  for (const { event, position } of events) {
    const ended = state.status !== 'none' && (isTerminal(state.status) || state.deleted);
    if (ended && !afterTheEnd.includes(event.type)) faults.push(`${event.type} at ${position} follows the end`);
    else if (state.status === 'none' && event.type !== 'WorkflowCreated')
      faults.push(`${event.type} at ${position} opens it`);
    else if (!isDecided(event, state)) faults.push(`${event.type} at ${position} is not allowed there`);
    state = workflowDecider.evolve(state, event);
  }
  return faults;
}

function isDecided(event: WorkflowEvent, state: WorkflowState): boolean {
  const command = commandOf(event);
  if (!command) return true;
  try {
    return workflowDecider.decide(command, state).some(({ type }) => type === event.type);
  } catch {
    return false;
  }
}

/** The worker's report that the fact came of. */
function commandOf(event: WorkflowEvent): WorkflowCommand | undefined {
  switch (event.type) {
    case 'ActionStarted':
      return { type: 'StartAction', ...event.data };
    case 'ActionSucceeded':
      return { type: 'FinishAction', ...event.data, outcome: 'succeeded', reason: null, exitCode: 0, message: '' };
    case 'ActionFailed':
      return event.data.reason === 'unknown-outcome'
        ? undefined
        : { type: 'FinishAction', ...event.data, outcome: 'failed' };
    default:
      return undefined;
  }
}
