import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AgentGrpcController } from './compat/agent.grpc.controller';
import { AuditApiController } from './audit/audit.api.controller';
import { CompatWorkerGrpcController } from './compat/compat-worker.grpc.controller';
import { EnrolmentController } from './enrolment/enrolment.controller';
import { EventsApiController } from './events/events.api.controller';
import { EventsGrpcController } from './events/events.grpc.controller';
import { HardwareApiController } from './hardware/hardware.api.controller';
import { HardwareGrpcController } from './hardware/hardware.grpc.controller';
import { HistoryApiController } from './history/history.api.controller';
import { LeaseEndApiController } from './leases/lease-end.api.controller';
import { LeaseImportApiController } from './leases/lease-import.api.controller';
import { MachinesApiController } from './machines.api.controller';
import { SecretApiController } from './secrets/secret.api.controller';
import { PublicEventsApiController } from './publishing/public-events.api.controller';
import { ReadModelsApiController } from './read-models.api.controller';
import { SiteController } from './site.controller';
import { SubscriptionsApiController } from './subscriptions/subscriptions.api.controller';
import { TemplateApiController } from './template/template.api.controller';
import { TemplateHistoryApiController } from './template/template-history.api.controller';
import { TemplateTrialApiController } from './template/template-trial.api.controller';
import { TemplateGrpcController } from './template/template.grpc.controller';
import { HardwareV1Controller } from './v1/hardware.v1.controller';
import { TemplateV1Controller } from './v1/template.v1.controller';
import { WorkflowV1Controller } from './v1/workflow.v1.controller';
import { WorkerRpcController } from './workers/worker-rpc.controller';
import { WorkflowApiController } from './workflow/workflow.api.controller';
import { WorkflowDecisionsApiController } from './workflow/workflow-decisions.api.controller';
import { WorkflowGrpcController } from './workflow/workflow.grpc.controller';

@Module({
  controllers: [
    SiteController,
    HardwareV1Controller,
    TemplateV1Controller,
    WorkflowV1Controller,
    HardwareApiController,
    TemplateApiController,
    TemplateHistoryApiController,
    TemplateTrialApiController,
    WorkflowApiController,
    WorkflowDecisionsApiController,
    SecretApiController,
    EventsApiController,
    AuditApiController,
    MachinesApiController,
    LeaseImportApiController,
    LeaseEndApiController,
    HistoryApiController,
    PublicEventsApiController,
    SubscriptionsApiController,
    ReadModelsApiController,
    EnrolmentController,
    HardwareGrpcController,
    TemplateGrpcController,
    WorkflowGrpcController,
    CompatWorkerGrpcController,
    AgentGrpcController,
    EventsGrpcController,
    WorkerRpcController,
  ],
})
export class TinkServerModule {
  /** The services are plain classes, made by `makeServices`. */
  static with(providers: readonly Provider[]): DynamicModule {
    return { module: TinkServerModule, providers: [...providers] };
  }
}
