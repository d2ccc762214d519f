import { DomainError, workflowDecider, type WorkflowCommand } from '@tinkerbell/domain';
import { handle, type EventStore, type ListOptions } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { queuePlace, workersOf, type WorkflowRow } from '@tinkerbell/projections';
import { inTurns, type ReadSide } from '../read-side';
import { delayTexts, nextDeadline, type Deadline, type Patience } from './deadlines';
import { ServerLogger } from '../log';
import { isReportOf, type OnTheirWay } from '../workers/on-their-way';
import { placeOf } from '../workflow/workflow-view';

/** setTimeout takes no more. */
const longest = 2_147_483_647;
const retryMilliseconds = 1_000;

interface Options {
  readonly patience: Patience;
  /** Tells a worker to ask again. */
  readonly wake: (workerId: string) => void;
  readonly onTheirWay: OnTheirWay;
  readonly now?: () => number;
}

/**
 * Fires the deadlines of actions and workflows. A timer is only the reading of a fact, so all of them are found again after a restart.
 * It proposes; the decider refuses when the worker's report came first. One that is stored and not in the log yet, as after an outage of
 * tink-server, came first too.
 */
export class ActionTimeoutReactor {
  private readonly logger = new ServerLogger('action-timeout');
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly stopListening: (() => void)[] = [];
  private readonly now: () => number;
  private closed = false;

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly options: Options,
  ) {
    this.now = options.now ?? Date.now;
  }

  async start(): Promise<void> {
    const { workflows, machines } = this.reads;
    this.stopListening.push(
      workflows.onChange((changed) => {
        for (const { key, row } of changed) this.arm(key, row);
      }),
      // What a workflow waits for changes with the step of its machine.
      machines.onChange((changed) => {
        for (const { key } of changed) for (const row of workflows.findAll(`queue:${key}`)) this.arm(row.id, row);
      }),
    );
    for (const status of ['pending', 'running']) {
      const open = (page: ListOptions) => workflows.entries({ ...page, lookups: [`status:${status}`] });
      for await (const { key } of inTurns(open, ({ key: id }) => id)) this.arm(key, workflows.get(key));
    }
  }

  close(): void {
    this.closed = true;
    for (const stop of this.stopListening) stop();
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
    const { patience } = this.options;
    const deadline = row && nextDeadline(row, patience, (workerId) => this.reads.machines.get(workerId));
    if (deadline && !this.closed) this.wait(id, deadline, Math.max(deadline.at - this.now(), 0));
  }

  private wait(id: string, deadline: Deadline, milliseconds: number): void {
    const left = milliseconds - longest;
    const go = () => (left > 0 ? this.wait(id, deadline, left) : void this.fire(id, deadline));
    this.timers.set(id, setTimeout(go, Math.min(milliseconds, longest)));
  }

  private async fire(id: string, deadline: Deadline): Promise<void> {
    this.timers.delete(id);
    if (deadline.kind === 'retry') return this.options.wake(deadline.workerId);
    if (deadline.kind === 'delay' && this.isQueued(id)) return this.wait(id, deadline, deadline.at - deadline.since);
    const metadata = { id: commandId(id, deadline), actor: 'reactor:action-timeout', correlationId: id };
    try {
      if (await this.isReported(id, deadline)) return this.again(id, deadline);
      await handle(this.store, workflowDecider, subjects.stream('workflow', id), this.commandOf(deadline), metadata);
    } catch (error) {
      if (error instanceof DomainError) return this.logger.debug(`workflow ${id}: ${error.message}`);
      this.logger.warn(`workflow ${id}: timeout not recorded yet: ${String(error)}`);
      this.again(id, deadline);
    }
  }

  private again(id: string, deadline: Deadline): void {
    if (!this.closed && !this.timers.has(id)) this.wait(id, deadline, retryMilliseconds);
  }

  /** What the deadline is for has been reported, of a whole workflow the end of any action. */
  private async isReported(id: string, deadline: Exclude<Deadline, { readonly kind: 'retry' }>): Promise<boolean> {
    const row = this.reads.workflows.get(id);
    if (!row || deadline.kind === 'delay') return false;
    const kind = deadline.kind === 'start' ? 'started' : 'finished';
    const { index, attempt } = deadline.kind === 'workflow' ? { index: undefined, attempt: undefined } : deadline;
    const workers = index === undefined ? workersOf(row) : [row.actions[index]?.spec.workerId ?? ''];
    for (const workerId of workers) {
      const reports = await this.options.onTheirWay(workerId, kind);
      if (reports.some((report) => isReportOf({ workflowId: id, index, attempt }, report))) return true;
    }
    return false;
  }

  /** Another workflow has its machine: nobody is late. */
  private isQueued(id: string): boolean {
    const row = this.reads.workflows.get(id);
    return row !== undefined && queuePlace(workersOf(row), placeOf(this.reads, id)) !== undefined;
  }

  private commandOf(deadline: Exclude<Deadline, { readonly kind: 'retry' }>): WorkflowCommand {
    const { patience } = this.options;
    switch (deadline.kind) {
      case 'workflow':
        return { type: 'ExpireWorkflow' };
      case 'delay': {
        const { cause, workerId, since } = deadline;
        const afterSeconds = Math.round((this.now() - since) / 1000);
        return { type: 'RecordDelay', cause, workerId, afterSeconds, message: delayTexts[cause] };
      }
      case 'action':
      case 'start':
      case 'cancel': {
        const { kind, index, attempt, startedAt } = deadline;
        const seconds = Math.round((this.now() - startedAt) / 1000);
        if (kind === 'cancel') {
          const message = `the worker did not confirm within ${patience.cancel} s that it stopped the action`;
          return { type: 'ExpireCancel', index, attempt, seconds, message };
        }
        if (kind === 'start') {
          const limit = `the action's timeout and ${patience.action} s of grace`;
          const message = `no sign of the worker that got it, within ${limit}; other machines wait with it`;
          return { type: 'ExpireAction', index, attempt, seconds, message };
        }
        const message = `no result from the worker within the action's timeout and ${patience.action} s of grace`;
        return { type: 'ExpireAction', index, attempt, seconds, message };
      }
    }
  }
}

function commandId(id: string, deadline: Exclude<Deadline, { readonly kind: 'retry' }>): string {
  switch (deadline.kind) {
    case 'workflow':
      return `${id}:timeout`;
    case 'delay':
      return `${id}:${deadline.cause}:${deadline.workerId}`;
    case 'action':
    case 'start':
      return `${id}:${deadline.index}:${deadline.attempt}:timeout`;
    case 'cancel':
      return `${id}:${deadline.index}:${deadline.attempt}:cancel-timeout`;
  }
}
