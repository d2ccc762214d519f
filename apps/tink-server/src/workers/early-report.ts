import { isTerminal, type WorkflowCommand, type WorkflowState } from '@tinkerbell/domain';

/**
 * The report is about something whose beginning has not been recorded yet. After a crash the broker may hand out later reports before
 * those that we had not acknowledged: such a one is put off, not refused.
 */
export function isEarly(command: WorkflowCommand, state: WorkflowState): boolean {
  if (state.status === 'none' || state.deleted) return false;
  const open = !isTerminal(state.status) && !state.cancelling;
  switch (command.type) {
    case 'StartAction': {
      const { status, attempts } = state.actions[command.index] ?? { status: 'skipped', attempts: 0 };
      const later = command.attempt > attempts;
      return open && later && (status === 'pending' || status === 'awaiting-approval' || status === 'running');
    }
    case 'FinishAction':
      return open && command.attempt > (state.actions[command.index]?.attempts ?? 0);
    case 'FinishHandler': {
      const action = state.actions[command.index];
      if (action?.running?.attempt === command.attempt) return true;
      return open && command.attempt > (action?.attempts ?? 0);
    }
    default:
      return false;
  }
}
