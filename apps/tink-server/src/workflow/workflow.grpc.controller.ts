import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { InvalidError } from '@tinkerbell/domain';
import { filter, from, map, type Observable } from 'rxjs';
import { GrpcErrorFilter } from '../grpc/grpc-error.filter';
import { serviceName } from '../grpc/grpc-listener';
import { MalformedJsonError, parseJson } from '../http/json-text';
import { ReadSide, rowsOf } from '../read-side';
import { WorkflowCommands } from './workflow-commands';
import { WorkflowData } from './workflow-data';
import { devicesOf } from './workflow.dto';
import { actionStatusMessage, contextMessage, workflowMessage } from './workflow.presenter';

interface GetRequest {
  readonly id: string;
}
interface DataRequest {
  readonly workflow_id: string;
  readonly version: number;
}

const service = serviceName('workflow', 'WorkflowService');
const caller = { actor: 'user' };

/** What clients call. The calls of workers are in compat-worker.grpc.controller.ts. */
@Controller()
@UseFilters(GrpcErrorFilter)
export class WorkflowGrpcController {
  constructor(
    private readonly commands: WorkflowCommands,
    private readonly data: WorkflowData,
    private readonly reads: ReadSide,
  ) {}

  @GrpcMethod(service, 'CreateWorkflow')
  async create({ template, hardware }: { readonly template: string; readonly hardware: string }): Promise<GetRequest> {
    const { id } = await this.commands.create({ template, devices: devicesOf(devicesJson(hardware)) }, caller);
    return { id };
  }

  @GrpcMethod(service, 'GetWorkflow')
  get({ id }: GetRequest): unknown {
    return workflowMessage(this.reads.workflow(workflowId(id)), true);
  }

  @GrpcMethod(service, 'DeleteWorkflow')
  async delete({ id }: GetRequest): Promise<object> {
    await this.commands.delete(workflowId(id), caller);
    return {};
  }

  @GrpcMethod(service, 'ListWorkflows')
  list(): Observable<unknown> {
    return from(rowsOf(this.reads.workflows, ({ id }) => id)).pipe(
      filter(({ deletedAt }) => deletedAt === null),
      map((row) => workflowMessage(row, false)),
    );
  }

  @GrpcMethod(service, 'GetWorkflowContext')
  context({ id }: GetRequest): unknown {
    return contextMessage(this.reads.workflow(workflowId(id)));
  }

  @GrpcMethod(service, 'ShowWorkflowEvents')
  events({ id }: GetRequest): Observable<unknown> {
    const row = this.reads.workflow(workflowId(id));
    return from(row.events).pipe(map((event) => actionStatusMessage(row.id, event)));
  }

  @GrpcMethod(service, 'GetWorkflowData')
  async getData({ workflow_id, version }: DataRequest): Promise<unknown> {
    const found = await this.data.get(workflowId(workflow_id), version);
    // The originals know no version 0: nothing stored is no data.
    return { data: Buffer.from(found.version === 0 ? '' : found.text), version: found.version };
  }

  @GrpcMethod(service, 'GetWorkflowMetadata')
  async getMetadata({ workflow_id, version }: DataRequest): Promise<unknown> {
    const found = await this.data.get(workflowId(workflow_id), version);
    return { data: Buffer.from(found.metadata ? JSON.stringify(found.metadata) : ''), version: found.version };
  }

  @GrpcMethod(service, 'GetWorkflowDataVersion')
  getDataVersion({ workflow_id }: DataRequest): unknown {
    return { data: Buffer.alloc(0), version: this.reads.workflow(workflowId(workflow_id)).data.at(-1)?.version ?? 0 };
  }
}

export function workflowId(id: string): string {
  if (id === '') throw new InvalidError('id', 'invalid workflow id');
  return id;
}

function devicesJson(text: string): unknown {
  try {
    return parseJson(text === '' ? '{}' : text);
  } catch (error) {
    if (!(error instanceof MalformedJsonError)) throw error;
    throw new InvalidError(
      'hardware',
      `hardware is not JSON: ${error.fault} at line ${error.line}, column ${error.column}`,
    );
  }
}
