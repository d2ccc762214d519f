import { Controller, UseFilters } from '@nestjs/common';
import { Ctx, MessagePattern, NatsContext, Payload, Transport } from '@nestjs/microservices';
import {
  parseWorkerSubject,
  subjects,
  type DataGetReply,
  type DataPutReply,
  type NextReply,
  type PermitReply,
  type SecretsReply,
  type StateReply,
} from '@tinkerbell/messaging';
import { checked } from '../http/checked.dto';
import { AttemptSecrets } from '../secrets/attempt-secrets';
import { WorkflowData } from '../workflow/workflow-data';
import { RpcErrorFilter } from './rpc-error.filter';
import { WorkerAccess } from './worker-access';
import { WorkerDesk } from './worker-desk';
import { Permits } from './permits';
import {
  DataGetRequestDto,
  DataPutRequestDto,
  NextRequestDto,
  PermitRequestDto,
  StateRequestDto,
} from './worker-rpc.dto';

/** What a worker asks over NATS. Who asks is in the subject, which the broker guards; never in the body. */
@Controller()
@UseFilters(RpcErrorFilter)
export class WorkerRpcController {
  constructor(
    private readonly desk: WorkerDesk,
    private readonly data: WorkflowData,
    private readonly access: WorkerAccess,
    private readonly permits: Permits,
    private readonly secrets: AttemptSecrets,
  ) {}

  @MessagePattern(subjects.anyRpc('next'), Transport.NATS)
  next(@Payload() body: unknown, @Ctx() context: NatsContext): Promise<NextReply> {
    return this.desk.next(workerOf(context), checked(NextRequestDto, body, 'request'));
  }

  @MessagePattern(subjects.anyRpc('permit'), Transport.NATS)
  permit(@Payload() body: unknown, @Ctx() context: NatsContext): Promise<PermitReply> {
    return this.permits.grant(workerOf(context), checked(PermitRequestDto, body, 'request'));
  }

  @MessagePattern(subjects.anyRpc('secrets'), Transport.NATS)
  attemptSecrets(@Payload() body: unknown, @Ctx() context: NatsContext): Promise<SecretsReply> {
    return this.secrets.of(workerOf(context), checked(StateRequestDto, body, 'request'));
  }

  @MessagePattern(subjects.anyRpc('state'), Transport.NATS)
  state(@Payload() body: unknown, @Ctx() context: NatsContext): Promise<StateReply> {
    return this.desk.state(workerOf(context), checked(StateRequestDto, body, 'request'));
  }

  @MessagePattern(subjects.anyRpc('data-get'), Transport.NATS)
  async dataGet(@Payload() body: unknown, @Ctx() context: NatsContext): Promise<DataGetReply> {
    const { workflowId, version } = checked(DataGetRequestDto, body, 'request');
    await this.access.toWorkflow(workerOf(context), workflowId);
    const found = await this.data.get(workflowId, version);
    return { version: found.version, data: found.text };
  }

  @MessagePattern(subjects.anyRpc('data-put'), Transport.NATS)
  async dataPut(@Payload() body: unknown, @Ctx() context: NatsContext): Promise<DataPutReply> {
    const { workflowId, index, data } = checked(DataPutRequestDto, body, 'request');
    const workerId = workerOf(context);
    const { version } = await this.data.put(workflowId, data, { workerId, index }, { actor: `worker:${workerId}` });
    return { version };
  }
}

function workerOf(context: NatsContext): string {
  const parsed = parseWorkerSubject(context.getSubject());
  if (!parsed) throw new Error(`${context.getSubject()} is no subject of a worker`);
  return parsed.workerId;
}
