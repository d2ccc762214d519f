import { fold, isTerminal, workflowDecider, type WorkflowState } from '@tinkerbell/domain';
import type { WorkflowEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';

/** Follows the log: which workflows there are and which have ended. */
export class Progress {
  private readonly states = new Map<string, WorkflowState>();
  private readonly ended = new Set<string>();

  async follow(store: EventStore, signal: AbortSignal): Promise<void> {
    const filters = [subjects.eventsOf('workflow')];
    for await (const { stream, events } of store.subscribe({ after: 0, filters, signal })) {
      const facts = events.map(({ event }) => event as WorkflowEvent);
      const state = fold(workflowDecider, facts, this.states.get(stream) ?? workflowDecider.initial);
      this.states.set(stream, state);
      if (state.status !== 'none' && (isTerminal(state.status) || state.deleted)) this.ended.add(stream);
    }
  }

  get begun(): number {
    return this.states.size;
  }
  get open(): readonly string[] {
    return [...this.states.keys()].filter((stream) => !this.ended.has(stream));
  }
  has(workflowId: string): boolean {
    return this.states.has(subjects.stream('workflow', workflowId));
  }
}
