import { fold, workflowDecider, type WorkflowState } from '@tinkerbell/domain';
import type { WorkflowEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';

/** Where a workflow stands by its own stream, whatever the read models have seen. Throws NotFoundError for an id that none can have. */
export async function loadWorkflow(store: EventStore, workflowId: string): Promise<WorkflowState> {
  const { events } = await store.read<WorkflowEvent>(streamOf('workflow', workflowId));
  return fold(
    workflowDecider,
    events.map(({ event }) => event),
  );
}
