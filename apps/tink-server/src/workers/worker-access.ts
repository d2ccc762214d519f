import { ForbiddenError, NotFoundError } from '@tinkerbell/domain';
import type { WorkflowEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';

/** Who may see what. */
export class WorkerAccess {
  constructor(private readonly store: EventStore) {}

  /** Throws unless the worker has an action in the workflow: another machine's data may hold its secrets. */
  async toWorkflow(workerId: string, workflowId: string): Promise<void> {
    const { events } = await this.store.read<WorkflowEvent>(streamOf('workflow', workflowId));
    const [first] = events;
    if (first?.event.type !== 'WorkflowCreated') throw new NotFoundError('workflow', workflowId);
    if (first.event.data.actions.some((action) => action.workerId === workerId)) return;
    throw new ForbiddenError(`workflow ${workflowId} has nothing for worker ${workerId}`);
  }
}
