import { DomainError, keepsMachine, machinesOf, workflowDecider } from '@tinkerbell/domain';
import type { WorkflowCommand, WorkflowState } from '@tinkerbell/domain';
import type { WorkflowEvent } from '@tinkerbell/events';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { Claims, type Wanted } from '../claims/claims';
import { streamOf } from '../commands/caller';

class MachineTakenError extends Error {
  constructor(
    readonly machine: string,
    readonly owner: string,
  ) {
    super(`workflow ${owner} has machine ${machine}`);
  }
}

/**
 * A workflow over several machines takes all of them before its first action is handed out, or none: so no two wait for each other in a
 * circle, however many servers hand out actions (ADR 0014).
 */
export class Machines {
  private readonly claims: Claims<WorkflowCommand, WorkflowState, WorkflowEvent>;

  constructor(
    private readonly store: EventStore,
    options: { readonly patienceMs?: number } = {},
  ) {
    const owners = {
      decider: workflowDecider,
      fence: { type: 'FenceWorkflow' } as const,
      stream: (id: string) => streamOf('workflow', id),
      has: (state: WorkflowState, { value }: Wanted) => keepsMachine(value, state),
      conflict: ({ value }: Wanted, owner: string) => new MachineTakenError(value, owner),
    };
    this.claims = new Claims(store, owners, options);
  }

  /** Why the workflow may not begin with the action `index`; undefined when it has all its machines. */
  async take(workflowId: string, index: number, actor: string): Promise<string | undefined> {
    const metadata = { id: `${workflowId}:machines`, actor, correlationId: workflowId };
    try {
      await handle(
        this.store,
        workflowDecider,
        streamOf('workflow', workflowId),
        { type: 'TakeMachines', index },
        metadata,
        async (state, head) => {
          if (state.status === 'none') return;
          const wanted = machinesOf(state).map((value): Wanted => ({ kind: 'machine', value }));
          await this.claims.take(workflowId, head, wanted, metadata);
        },
      );
      return undefined;
    } catch (error) {
      if (error instanceof MachineTakenError) {
        return `workflow ${workflowId} waits for workflow ${error.owner}, which has machine ${error.machine}`;
      }
      if (error instanceof DomainError) return `workflow ${workflowId}: ${error.message}`;
      throw error;
    }
  }
}
