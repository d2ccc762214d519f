import { workflowDecider, type WorkflowState } from '@tinkerbell/domain';
import { current, type EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';

/** Where a workflow stands by its own stream, whatever the read models have seen. Throws NotFoundError for an id that none can have. */
export async function loadWorkflow(store: EventStore, workflowId: string): Promise<WorkflowState> {
  return (await current(store, workflowDecider, streamOf('workflow', workflowId))).state;
}
