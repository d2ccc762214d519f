import { status, type Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { InvalidError } from '@tinkerbell/domain';
import type { WorkflowRow } from '@tinkerbell/projections';
import { from, type Observable } from 'rxjs';
import { GrpcErrorFilter } from '../grpc/grpc-error.filter';
import { GrpcStatusError } from '../grpc/grpc-error';
import { serviceName } from '../grpc/grpc-listener';
import { ReadSide } from '../read-side';
import { workOrder } from '../workers/work-order';
import { actionMessage, contextMessage } from '../workflow/workflow.presenter';
import { addressOfPeer } from './allowed-networks';
import { CompatWorker } from './compat-worker';
import type { ActionStatusMessage } from './status-command';

type Call = Pick<ServerUnaryCall<unknown, unknown>, 'getPeer'>;

const service = serviceName('workflow', 'WorkflowService');

/** The calls of the originals' workers. They carry no proof of who calls: off unless configured, and then for some networks only. */
@Controller()
@UseFilters(GrpcErrorFilter)
export class CompatWorkerGrpcController {
  constructor(
    private readonly worker: CompatWorker,
    private readonly reads: ReadSide,
  ) {}

  @GrpcMethod(service, 'GetWorkflowContextList')
  contextList({ worker_id }: { readonly worker_id: string }, _: Metadata, call: Call): unknown {
    return { workflow_contexts: this.rowsOf(worker_id, call).map(contextMessage) };
  }

  /** Those in which the worker's action is the current one. */
  @GrpcMethod(service, 'GetWorkflowContexts')
  contexts({ worker_id }: { readonly worker_id: string }, _: Metadata, call: Call): Observable<unknown> {
    const rows = workOrder(this.rowsOf(worker_id, call));
    return from(rows.filter((row) => row.actions[row.current]?.spec.workerId === worker_id).map(contextMessage));
  }

  @GrpcMethod(service, 'GetWorkflowActions')
  actions({ workflow_id }: { readonly workflow_id: string }, _: Metadata, call: Call): unknown {
    required(workflow_id, 'workflow id');
    this.admit(call);
    return { action_list: this.reads.workflow(workflow_id).actions.map(({ spec }) => actionMessage(spec)) };
  }

  @GrpcMethod(service, 'ReportActionStatus')
  async report(report: ActionStatusMessage, _: Metadata, call: Call): Promise<object> {
    required(report.workflow_id, 'workflow id');
    required(report.task_name, 'task name');
    required(report.action_name, 'action name');
    this.admit(call);
    await this.worker.report(report);
    return {};
  }

  @GrpcMethod(service, 'UpdateWorkflowData')
  async updateData(
    { workflow_id, data }: { readonly workflow_id: string; readonly data: Uint8Array },
    _: Metadata,
    call: Call,
  ): Promise<object> {
    required(workflow_id, 'workflow id');
    this.admit(call);
    await this.worker.putData(workflow_id, data);
    return {};
  }

  private rowsOf(workerId: string, call: Call): readonly WorkflowRow[] {
    required(workerId, 'worker id');
    this.admit(call);
    return this.reads.workflows.findAll(`worker:${workerId}`).filter(({ deletedAt }) => deletedAt === null);
  }

  private admit(call: Call): void {
    const refusal = this.worker.refusal(addressOfPeer(call.getPeer()));
    if (refusal !== undefined) throw new GrpcStatusError(status.FAILED_PRECONDITION, refusal);
  }
}

function required(text: string, what: string): void {
  if (text === '') throw new InvalidError(what.replace(' ', '_'), `invalid ${what}`);
}
