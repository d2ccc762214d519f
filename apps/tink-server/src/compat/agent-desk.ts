import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { NotFoundError, parseMac, workflowDecider } from '@tinkerbell/domain';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { streamOf } from '../commands/caller';
import { GrpcStatusError } from '../grpc/grpc-error';
import type { ReadSide } from '../read-side';
import type { WorkerDesk } from '../workers/worker-desk';
import { loadWorkflow } from '../workflow/load-workflow';
import { actionResponse, agentCommand, type AgentStatusMessage } from './agent-message';
import { standingOf } from './standing';
import { compatBootId } from './status-command';

/** Answers today's agent. As for our own workers the read model only says where to look; what is handed out is confirmed against the log. */
export class AgentDesk {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly desk: WorkerDesk,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The action that this agent runs or has to run next: one that it reported as running is served again, since agents know no boots.
   * Throws NOT_FOUND when there is no unfinished workflow for it, FAILED_PRECONDITION when it has to wait; the text says why.
   */
  async next(agentId: string): Promise<object> {
    const workerId = this.workerOf(agentId);
    // An action of a worker that knows its boots is not given up: there is no proof of who asks here.
    const found = await this.desk.find(workerId, { bootId: compatBootId }, false);
    if (found.kind === 'found') {
      const { step } = found;
      if (!step.destructive && step.secretNames.length === 0) {
        const obstacle = await this.desk.begin(found, 'worker:grpc');
        if (obstacle === undefined) return actionResponse(step, agentId);
        throw new GrpcStatusError(status.FAILED_PRECONDITION, `no action available: ${obstacle}`);
      }
      const reason = `workflow ${step.workflowId}: action ${step.index} needs a worker that can ask for permits and secrets`;
      throw new GrpcStatusError(status.FAILED_PRECONDITION, `no action available: ${reason}`);
    }
    const { reason } = found;
    if (reason !== undefined) throw new GrpcStatusError(status.FAILED_PRECONDITION, `no action available: ${reason}`);
    throw new GrpcStatusError(status.NOT_FOUND, `no Workflows found: ${this.desk.idleReason(workerId)}`);
  }

  async report(report: AgentStatusMessage): Promise<void> {
    const state = await loadWorkflow(this.store, report.workflow_id);
    if (state.status === 'none') throw new NotFoundError('workflow', report.workflow_id);
    const workerId = this.workerOf(report.agent_id);
    const command = agentCommand(report, workerId, standingOf(state).specs, new Date(this.now()).toISOString());
    const metadata = { id: randomUUID(), actor: 'worker:grpc', correlationId: report.workflow_id };
    const stream = streamOf('workflow', report.workflow_id);
    const { position } = await handle(this.store, workflowDecider, stream, command, metadata);
    await this.reads.settle(position);
  }

  /** An agent's id is usually the MAC address that its machine booted from, else the id of the hardware record. */
  private workerOf(agentId: string): string {
    const mac = parseMac(agentId);
    return (mac === undefined ? undefined : this.reads.hardware.find(`mac:${mac}`)?.id) ?? agentId;
  }
}
