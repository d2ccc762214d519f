import { DomainError, workflowDecider, type WorkflowCommand } from '@tinkerbell/domain';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import type { WorkflowRow } from '@tinkerbell/projections';
import { rowsOf, type ReadSide } from '../read-side';
import { nextDeadline, type Deadline } from './deadlines';
import { ServerLogger } from '../log';

/** setTimeout takes no more. */
const longest = 2_147_483_647;
const retryMilliseconds = 1_000;

/**
 * Fires the timeouts of actions and workflows. A timer is only the reading of a fact, so all of them are found again after a restart.
 * It proposes; the decider refuses when the worker's report came first.
 */
export class ActionTimeoutReactor {
  private readonly logger = new ServerLogger('action-timeout');
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private stopListening: (() => void) | undefined;
  private closed = false;

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly graceSeconds: number,
    private readonly now: () => number = Date.now,
  ) {}

  async start(): Promise<void> {
    this.stopListening = this.reads.workflows.onChange((changed) => {
      for (const { key, row } of changed) this.arm(key, row);
    });
    for await (const row of rowsOf(this.reads.workflows, ({ id }) => id))
      this.arm(row.id, this.reads.workflows.get(row.id));
  }

  close(): void {
    this.closed = true;
    this.stopListening?.();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  /** How many deadlines are pending. */
  get armed(): number {
    return this.timers.size;
  }

  private arm(id: string, row: WorkflowRow | undefined): void {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    const deadline = row && nextDeadline(row, this.graceSeconds);
    if (deadline && !this.closed) this.wait(id, deadline, Math.max(deadline.at - this.now(), 0));
  }

  private wait(id: string, deadline: Deadline, milliseconds: number): void {
    const left = milliseconds - longest;
    const go = () => (left > 0 ? this.wait(id, deadline, left) : void this.fire(id, deadline));
    this.timers.set(id, setTimeout(go, Math.min(milliseconds, longest)));
  }

  private async fire(id: string, deadline: Deadline): Promise<void> {
    this.timers.delete(id);
    const commandId =
      deadline.kind === 'workflow' ? `${id}:timeout` : `${id}:${deadline.index}:${deadline.attempt}:timeout`;
    const metadata = { id: commandId, actor: 'reactor:action-timeout', correlationId: id };
    try {
      await handle(this.store, workflowDecider, subjects.stream('workflow', id), this.commandOf(deadline), metadata);
    } catch (error) {
      if (error instanceof DomainError) return this.logger.debug(`workflow ${id}: ${error.message}`);
      this.logger.warn(`workflow ${id}: timeout not recorded yet: ${String(error)}`);
      if (!this.closed && !this.timers.has(id)) this.wait(id, deadline, retryMilliseconds);
    }
  }

  private commandOf(deadline: Deadline): WorkflowCommand {
    if (deadline.kind === 'workflow') return { type: 'ExpireWorkflow' };
    const { index, attempt, startedAt } = deadline;
    const seconds = Math.round((this.now() - startedAt) / 1000);
    const message = `no result from the worker within the action's timeout and ${this.graceSeconds} s of grace`;
    return { type: 'ExpireAction', index, attempt, seconds, message };
  }
}
