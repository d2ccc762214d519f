import { isTerminal, type WorkflowCommand, type WorkflowState } from '@tinkerbell/domain';

/**
 * The report is about something whose beginning has not been recorded yet. After a crash the broker may hand out later reports before
 * those that we had not acknowledged: such a one is put off, not refused.
 */
export function isEarly(command: WorkflowCommand, state: WorkflowState): boolean {
  if (state.status === 'none' || state.deleted) return false;
  switch (command.type) {
    case 'StartAction':
      return !isTerminal(state.status) && command.index > state.current;
    case 'FinishAction':
      return !isTerminal(state.status) && command.attempt > (state.attempts[command.index] ?? 0);
    case 'FinishHandler': {
      const { running } = state;
      if (running?.index === command.index && running.attempt === command.attempt) return true;
      return !isTerminal(state.status) && command.attempt > (state.attempts[command.index] ?? 0);
    }
    default:
      return false;
  }
}
