import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import {
  InvalidError,
  NotFoundError,
  workflowDecider,
  type WorkflowCommand,
  type WorkflowState,
} from '@tinkerbell/domain';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';
import { GrpcStatusError } from '../grpc/grpc-error';
import type { ReadSide } from '../read-side';
import { loadWorkflow } from '../workflow/load-workflow';
import { Machines } from '../workers/machines';
import type { WorkflowData } from '../workflow/workflow-data';
import { standingOf } from './standing';
import { startIsMissing, statusCommand, type ActionStatusMessage } from './status-command';

/** Translates what workers of the originals report. Every rule of our own protocol holds for them too. */
export class CompatWorker {
  private readonly machines: Machines;

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly data: WorkflowData,
    private readonly now: () => number = Date.now,
  ) {
    this.machines = new Machines(store);
  }

  async report(report: ActionStatusMessage): Promise<void> {
    const state = await loadWorkflow(this.store, report.workflow_id);
    const now = new Date(this.now()).toISOString();
    if (startIsMissing(report, state)) {
      const start = statusCommand({ ...report, action_status: 'STATE_RUNNING' }, state, now);
      await this.record(report.workflow_id, start, state);
      return this.report(report);
    }
    const command = statusCommand(report, state, now);
    const position = await this.record(report.workflow_id, command, state);
    await this.reads.settle(position);
  }

  /** The sender is the worker of the action that runs, or ran last. */
  async putData(workflowId: string, content: Uint8Array): Promise<void> {
    const state = await loadWorkflow(this.store, workflowId);
    if (state.status === 'none') throw new NotFoundError('workflow', workflowId);
    const { running, last, specs } = standingOf(state);
    const index = running[0] ?? last;
    await this.data.put(
      workflowId,
      textOf(content),
      { workerId: specs[index]?.workerId ?? '', index },
      { actor: 'worker:grpc' },
    );
  }

  /** Returns the position of the log that shows it. */
  private async record(workflowId: string, command: WorkflowCommand, state: WorkflowState): Promise<number> {
    if (command.type === 'StartAction' && state.status === 'pending') {
      workflowDecider.decide(command, state); // what is refused takes no machine
      // They ask for their actions and begin one without asking again: the report of its start comes before it runs.
      const obstacle = await this.machines.take(workflowId, command.index, 'worker:grpc');
      if (obstacle !== undefined) throw new GrpcStatusError(status.FAILED_PRECONDITION, obstacle);
    }
    const metadata = { id: randomUUID(), actor: 'worker:grpc', correlationId: workflowId };
    const { position } = await handle(this.store, workflowDecider, streamOf('workflow', workflowId), command, metadata);
    return position;
  }
}

function textOf(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new InvalidError('data', 'workflow data is not UTF-8');
  }
}
