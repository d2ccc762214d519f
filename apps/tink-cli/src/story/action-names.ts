import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { shortNames } from '@tinkerbell/projections';
import { ApiError } from '../api-errors';
import type { Client } from '../client';

/** Knows the names of actions, which events of a workflow give by index only: from its first event, else from the server. */
export class ActionNames {
  private readonly names = new Map<string, readonly string[]>();

  constructor(private readonly client: Client) {}

  nameOf = (workflowId: string, index: number): string | undefined => this.names.get(workflowId)?.[index];

  /** To be called with every event, before its action is named. */
  async learn({ aggregate, aggregateId, event }: Recorded<AnyEvent>): Promise<void> {
    if (aggregate !== 'workflow') return;
    if (event.type === 'WorkflowCreated') {
      this.names.set(aggregateId, shortNames(event.data.actions));
      return;
    }
    if (this.names.has(aggregateId)) return;
    try {
      const { actions } = await this.client.workflow(aggregateId);
      this.names.set(aggregateId, shortNames(actions.map(({ spec }) => spec)));
    } catch (error) {
      // A deleted workflow: its actions keep their numbers.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.names.set(aggregateId, []);
    }
  }
}
