import { type Metadata } from '@grpc/grpc-js';
import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { InvalidError } from '@tinkerbell/domain';
import { workOrder, type WorkflowRow } from '@tinkerbell/projections';
import { from, type Observable } from 'rxjs';
import { GrpcErrorFilter } from '../grpc/grpc-error.filter';
import { serviceName } from '../grpc/grpc-listener';
import { ReadSide } from '../read-side';
import { actionMessage, contextMessage } from '../workflow/workflow.presenter';
import { CompatGate, type PeerCall } from './compat-gate';
import { CompatWorker } from './compat-worker';
import { isForOriginals } from './standing';
import type { ActionStatusMessage } from './status-command';

const service = serviceName('workflow', 'WorkflowService');

/** The calls of the originals' workers up to v0.6. */
@Controller()
@UseFilters(GrpcErrorFilter)
export class CompatWorkerGrpcController {
  constructor(
    private readonly worker: CompatWorker,
    private readonly gate: CompatGate,
    private readonly reads: ReadSide,
  ) {}

  @GrpcMethod(service, 'GetWorkflowContextList')
  contextList({ worker_id }: { readonly worker_id: string }, _: Metadata, call: PeerCall): unknown {
    return { workflow_contexts: this.rowsOf(worker_id, call).map(contextMessage) };
  }

  /** Those in which the worker's action is the current one. */
  @GrpcMethod(service, 'GetWorkflowContexts')
  contexts({ worker_id }: { readonly worker_id: string }, _: Metadata, call: PeerCall): Observable<unknown> {
    const rows = workOrder(this.rowsOf(worker_id, call));
    return from(rows.filter((row) => row.actions[row.current]?.spec.workerId === worker_id).map(contextMessage));
  }

  @GrpcMethod(service, 'GetWorkflowActions')
  actions({ workflow_id }: { readonly workflow_id: string }, _: Metadata, call: PeerCall): unknown {
    required(workflow_id, 'workflow id');
    this.gate.admit(call);
    return { action_list: this.reads.workflow(workflow_id).actions.map(({ spec }) => actionMessage(spec)) };
  }

  @GrpcMethod(service, 'ReportActionStatus')
  async report(report: ActionStatusMessage, _: Metadata, call: PeerCall): Promise<object> {
    required(report.workflow_id, 'workflow id');
    required(report.task_name, 'task name');
    required(report.action_name, 'action name');
    this.gate.admit(call);
    await this.worker.report(report);
    return {};
  }

  @GrpcMethod(service, 'UpdateWorkflowData')
  async updateData(
    { workflow_id, data }: { readonly workflow_id: string; readonly data: Uint8Array },
    _: Metadata,
    call: PeerCall,
  ): Promise<object> {
    required(workflow_id, 'workflow id');
    this.gate.admit(call);
    await this.worker.putData(workflow_id, data);
    return {};
  }

  private rowsOf(workerId: string, call: PeerCall): readonly WorkflowRow[] {
    required(workerId, 'worker id');
    this.gate.admit(call);
    return this.reads.workflows
      .findAll(`worker:${workerId}`)
      .filter(({ deletedAt, actions }) => deletedAt === null && actions.every(({ spec }) => isForOriginals(spec)));
  }
}

function required(text: string, what: string): void {
  if (text === '') throw new InvalidError(what.replace(' ', '_'), `invalid ${what}`);
}
