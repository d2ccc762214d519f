import type { Provider } from '@nestjs/common';
import { EventStore } from '@tinkerbell/event-store';
import { NatsBlobs } from '@tinkerbell/messaging';
import { allowedNetworks } from './compat/allowed-networks';
import { CompatWorker } from './compat/compat-worker';
import { Enrolment } from './enrolment/enrolment';
import { HardwareCommands } from './hardware/hardware-commands';
import { AsOf } from './history/as-of';
import { Bundles } from './history/bundles';
import { Differences } from './history/differences';
import { Explanations } from './history/explanations';
import { Metrics } from './metrics';
import type { TinkServerPorts } from './ports';
import { ProjectedReads, type TinkReadModels } from './projected-reads';
import { ReadSide } from './read-side';
import { Site } from './site';
import { TemplateCommands } from './template/template-commands';
import type { TinkServerConfig } from './tink-server.config';
import { WorkerAccess } from './workers/worker-access';
import { WorkerDesk } from './workers/worker-desk';
import { ActionLogs } from './workflow/action-logs';
import { WorkflowCommands } from './workflow/workflow-commands';
import { WorkflowData } from './workflow/workflow-data';

export interface Services {
  readonly reads: ReadSide;
  readonly metrics: Metrics;
  readonly providers: readonly Provider[];
}

/** Everything that the controllers use, wired by hand: plain classes without decorators. */
export function makeServices(config: TinkServerConfig, ports: TinkServerPorts, readModels: TinkReadModels): Services {
  const { store, bus, pki, credentials } = ports;
  const reads = new ProjectedReads(readModels);
  const metrics = new Metrics();
  metrics.gauge('tink_log_applied_position', 'Position of the log that the read models have reached', () =>
    reads.position(),
  );
  metrics.gauge('tink_workflows', 'Workflows, deleted ones included', () => reads.workflows.count());
  metrics.gauge('tink_hardware', 'Hardware records', () => reads.hardware.count());
  const data = new WorkflowData(store, reads, new NatsBlobs(bus.connection));
  const compat = {
    enabled: config.TINK_COMPAT_WORKER_GRPC === 'on',
    allowed: allowedNetworks(config.TINK_COMPAT_WORKER_NETWORKS),
  };
  const logs = new ActionLogs(bus, reads);
  const asOf = new AsOf(store, reads);
  const grace = config.TINK_ACTION_GRACE_SECONDS;
  const values: readonly (readonly [abstract new (...args: never[]) => unknown, unknown])[] = [
    [EventStore, store],
    [ReadSide, reads],
    [Metrics, metrics],
    [Site, new Site(store, pki.ca, ports.version, readModels.fault)],
    [HardwareCommands, new HardwareCommands(store, reads)],
    [TemplateCommands, new TemplateCommands(store, reads)],
    [WorkflowCommands, new WorkflowCommands(store, reads)],
    [WorkflowData, data],
    [ActionLogs, logs],
    [AsOf, asOf],
    [Explanations, new Explanations(reads, asOf, grace)],
    [Bundles, new Bundles(reads, logs, grace)],
    [Differences, new Differences(reads, asOf)],
    [WorkerDesk, new WorkerDesk(store, reads)],
    [WorkerAccess, new WorkerAccess(store)],
    [CompatWorker, new CompatWorker(store, reads, data, compat)],
    [Enrolment, new Enrolment(store, reads, credentials, enrolmentOptions(config, pki.ca))],
  ];
  return { reads, metrics, providers: values.map(([provide, useValue]) => ({ provide, useValue })) };
}

function enrolmentOptions(config: TinkServerConfig, ca: string) {
  return {
    natsUrl: config.TINK_WORKER_NATS_URL,
    ca,
    registry: {
      address: config.TINK_REGISTRY_ADDRESS,
      username: config.TINK_REGISTRY_USERNAME,
      password: config.TINK_REGISTRY_PASSWORD,
    },
    credentialSeconds: config.TINK_CREDENTIAL_SECONDS,
    tokenSeconds: config.TINK_TOKEN_SECONDS,
  };
}
