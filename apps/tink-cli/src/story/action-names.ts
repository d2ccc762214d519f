import type { AnyEvent, PlannedAction, Recorded } from '@tinkerbell/events';
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

/** What each action is called, and may be called in a command: its name, or its id (`task/name`) when another one has that name too. */
export function shortNames(actions: readonly PlannedAction[]): readonly string[] {
  return actions.map(({ name, plan }) => (actions.filter((other) => other.name === name).length > 1 ? plan.id : name));
}
