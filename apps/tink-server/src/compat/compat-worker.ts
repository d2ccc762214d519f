import { randomUUID } from 'node:crypto';
import { fold, InvalidError, NotFoundError, workflowDecider, type WorkflowState } from '@tinkerbell/domain';
import type { WorkflowEvent } from '@tinkerbell/events';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';
import type { ReadSide } from '../read-side';
import type { WorkflowData } from '../workflow/workflow-data';
import { statusCommand, type ActionStatusMessage } from './status-command';

/** Translates what workers of the originals report. Every rule of our own protocol holds for them too. */
export class CompatWorker {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly data: WorkflowData,
    private readonly options: { readonly enabled: boolean; readonly allowed: (address: string) => boolean },
  ) {}

  /** Why this caller may not use these calls; undefined: it may. */
  refusal(address: string): string | undefined {
    if (!this.options.enabled) {
      return 'worker calls over gRPC carry no proof of identity and are off (TINK_COMPAT_WORKER_GRPC=on enables them); workers enrol over HTTPS and use NATS';
    }
    if (this.options.allowed(address)) return undefined;
    return `worker calls over gRPC are not allowed from ${address} (TINK_COMPAT_WORKER_NETWORKS)`;
  }

  async report(report: ActionStatusMessage): Promise<void> {
    const state = await this.load(report.workflow_id);
    const command = statusCommand(report, state, new Date().toISOString());
    const metadata = { id: randomUUID(), actor: 'worker:grpc', correlationId: report.workflow_id };
    const stream = streamOf('workflow', report.workflow_id);
    const { position } = await handle(this.store, workflowDecider, stream, command, metadata);
    await this.reads.settle(position);
  }

  /** The sender is the worker of the action that runs, or ran last. */
  async putData(workflowId: string, content: Uint8Array): Promise<void> {
    const state = await this.load(workflowId);
    if (state.status === 'none') throw new NotFoundError('workflow', workflowId);
    const index = state.running?.index ?? Math.max(state.current - 1, 0);
    const workerId = state.created.actions[index]?.workerId ?? '';
    await this.data.put(workflowId, textOf(content), { workerId, index }, { actor: 'worker:grpc' });
  }

  private async load(workflowId: string): Promise<WorkflowState> {
    const { events } = await this.store.read<WorkflowEvent>(streamOf('workflow', workflowId));
    return fold(
      workflowDecider,
      events.map(({ event }) => event),
    );
  }
}

function textOf(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new InvalidError('data', 'workflow data is not UTF-8');
  }
}
