import { status, type Metadata } from '@grpc/grpc-js';
import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { ConflictError, ForbiddenError, InvalidError } from '@tinkerbell/domain';
import { GrpcErrorFilter } from '../grpc/grpc-error.filter';
import { GrpcStatusError } from '../grpc/grpc-error';
import { agentService } from '../grpc/grpc-listener';
import { AgentDesk } from './agent-desk';
import type { AgentStatusMessage } from './agent-message';
import { CompatGate, type PeerCall } from './compat-gate';

/** The calls of today's agent (v0.25). Its attributes are read and not kept. */
@Controller()
@UseFilters(GrpcErrorFilter)
export class AgentGrpcController {
  constructor(
    private readonly desk: AgentDesk,
    private readonly gate: CompatGate,
  ) {}

  @GrpcMethod(agentService, 'GetAction')
  async action({ agent_id }: { readonly agent_id: string }, _: Metadata, call: PeerCall): Promise<object> {
    required('agent_id', agent_id, 'invalid Agent ID');
    this.gate.admit(call);
    return this.desk.next(agent_id);
  }

  @GrpcMethod(agentService, 'ReportActionStatus')
  async report(report: AgentStatusMessage, _: Metadata, call: PeerCall): Promise<object> {
    required('workflow_id', report.workflow_id, 'invalid workflow id');
    required('agent_id', report.agent_id, 'invalid Agent ID');
    required('action_id', report.action_id, 'invalid action id');
    this.gate.admit(call);
    try {
      await this.desk.report(report);
    } catch (error) {
      // With any other status than this, NOT_FOUND and INVALID_ARGUMENT the agent sends the same report again for ever.
      const final = error instanceof ForbiddenError || error instanceof ConflictError;
      throw final ? new GrpcStatusError(status.FAILED_PRECONDITION, error.message) : error;
    }
    return {};
  }
}

function required(field: string, text: string, message: string): void {
  if (text === '') throw new InvalidError(field, message);
}
