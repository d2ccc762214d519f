import { ForbiddenError, NotFoundError } from '@tinkerbell/domain';
import type { EventStore } from '@tinkerbell/event-store';
import { loadWorkflow } from '../workflow/load-workflow';

/** Who may see what. */
export class WorkerAccess {
  constructor(private readonly store: EventStore) {}

  /** Throws unless the worker has an action in the workflow: another machine's data may hold its secrets. */
  async toWorkflow(workerId: string, workflowId: string): Promise<void> {
    const state = await loadWorkflow(this.store, workflowId);
    if (state.status === 'none') throw new NotFoundError('workflow', workflowId);
    if (state.created.actions.some((action) => action.workerId === workerId)) return;
    throw new ForbiddenError(`workflow ${workflowId} has nothing for worker ${workerId}`);
  }
}
