import { workflowDecider, type WorkflowState } from '@tinkerbell/domain';
import { current, recent, type EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';

/** Where a workflow stands by its own stream, whatever the read models have seen. Throws NotFoundError for an id that none can have. */
export async function loadWorkflow(store: EventStore, workflowId: string): Promise<WorkflowState> {
  return (await current(store, workflowDecider, streamOf('workflow', workflowId))).state;
}

/** How old what this server says of a workflow without asking the log may be, should nobody bring it what others have stored. */
const maxAgeMs = 1_000;

/** Where a workflow stood a moment ago, if this server knows without asking. */
export function recentWorkflow(store: EventStore, workflowId: string): WorkflowState | undefined {
  return recent(store, workflowDecider, streamOf('workflow', workflowId), maxAgeMs);
}
