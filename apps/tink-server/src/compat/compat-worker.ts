import { randomUUID } from 'node:crypto';
import { InvalidError, NotFoundError, workflowDecider, type WorkflowCommand } from '@tinkerbell/domain';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';
import type { ReadSide } from '../read-side';
import { loadWorkflow } from '../workflow/load-workflow';
import type { WorkflowData } from '../workflow/workflow-data';
import { standingOf } from './standing';
import { startIsMissing, statusCommand, type ActionStatusMessage } from './status-command';

/** Translates what workers of the originals report. Every rule of our own protocol holds for them too. */
export class CompatWorker {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly data: WorkflowData,
  ) {}

  async report(report: ActionStatusMessage): Promise<void> {
    const state = await loadWorkflow(this.store, report.workflow_id);
    if (startIsMissing(report, state)) {
      const start = statusCommand({ ...report, action_status: 'STATE_RUNNING' }, state, new Date().toISOString());
      await this.record(report.workflow_id, start);
      return this.report(report);
    }
    const position = await this.record(report.workflow_id, statusCommand(report, state, new Date().toISOString()));
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
  private async record(workflowId: string, command: WorkflowCommand): Promise<number> {
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
