import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { EventStore } from '@tinkerbell/event-store';
import type { DelaySeconds } from '@tinkerbell/projections';
import {
  LeaseEnds,
  LeaseImports,
  NatsBlobs,
  type NatsBus,
  NatsSecretBucket,
  PoolRoll,
  secretsBucket,
  webhookSecretsBucket,
} from '@tinkerbell/messaging';
import { AuditCheckpointReactor } from './audit/audit-checkpoint.reactor';
import { AuditExport } from './audit/audit-export';
import { LogMemory } from './audit/log-memory';
import { SealedValues } from './audit/sealed-values';
import { allowedNetworks } from './compat/allowed-networks';
import { AgentDesk } from './compat/agent-desk';
import { CompatGate } from './compat/compat-gate';
import { CompatWorker } from './compat/compat-worker';
import { Enrolment } from './enrolment/enrolment';
import { HardwareCommands } from './hardware/hardware-commands';
import { AsOf } from './history/as-of';
import { Bundles } from './history/bundles';
import { Differences } from './history/differences';
import { BootHistory } from './history/boot-history';
import { Explanations } from './history/explanations';
import { LeaseHistory } from './history/lease-history';
import { LeasePools } from './history/lease-pools';
import { LeaseEnding } from './leases/lease-ending';
import { MachineLogs } from './machine-logs';
import { Metrics } from './metrics';
import type { TimedPorts, TinkServerPorts } from './ports';
import { ProjectedReads, type TinkReadModels } from './projected-reads';
import { ReadSide } from './read-side';
import { AttemptSecrets } from './secrets/attempt-secrets';
import { Secrets } from './secrets/secrets';
import { Site } from './site';
import { makeIntegrations, type Integrations } from './subscriptions/integrations';
import { WebhookSecrets } from './subscriptions/webhook-secrets';
import { RegistryImages } from './template/registry-images';
import { TemplateCommands } from './template/template-commands';
import { TemplateHistory } from './template/template-history';
import { TemplateReplay } from './template/template-replay';
import { TemplateTrial } from './template/template-trial';
import { WorkflowPlanner } from './template/workflow-planner';
import type { TinkServerConfig } from './tink-server.config';
import { Permits } from './workers/permits';
import { WorkerAccess } from './workers/worker-access';
import { WorkerDesk } from './workers/worker-desk';
import { ActionLogs } from './workflow/action-logs';
import { WorkflowCommands } from './workflow/workflow-commands';
import { WorkflowData } from './workflow/workflow-data';

export interface Services {
  readonly reads: ReadSide;
  readonly metrics: Metrics;
  readonly integrations: Integrations;
  readonly checkpoints: AuditCheckpointReactor;
  readonly providers: readonly Provider[];
}

/** Everything that the controllers use, wired by hand: plain classes without decorators. */
export function makeServices(config: TinkServerConfig, ports: TimedPorts, readModels: TinkReadModels): Services {
  const { store, bus, pki, credentials, secretsKey, auditKey, now } = ports;
  const reads = new ProjectedReads(readModels);
  const metrics = metricsOf(reads);
  const bucket = new NatsSecretBucket(bus.connection, secretsBucket);
  const secrets = new Secrets(store, reads, bucket, secretsKey);
  const webhookSecrets = new WebhookSecrets(new NatsSecretBucket(bus.connection, webhookSecretsBucket), secretsKey);
  const blobs = new NatsBlobs(bus.connection);
  const beside = { blobs, sealed: new SealedValues(bucket, webhookSecrets) };
  const data = new WorkflowData(store, reads, blobs);
  const desk = new WorkerDesk(store, reads, (workerId, kind) => bus.pendingReports(workerId, kind), { now });
  const integrations = makeIntegrations(config, ports, reads, metrics, webhookSecrets);
  const checkpoints = auditCheckpoints(config, ports, metrics);
  const compat = {
    enabled: config.TINK_COMPAT_WORKER_GRPC === 'on',
    allowed: allowedNetworks(config.TINK_COMPAT_WORKER_NETWORKS),
  };
  const images = config.TINK_PIN_IMAGES === 'on' ? new RegistryImages(ownRegistry(config, pki.ca)) : null;
  const planner = new WorkflowPlanner(reads, images);
  const templates = new TemplateCommands(store, reads);
  const logs = new ActionLogs(bus, reads);
  const asOf = new AsOf(store, reads);
  const patience = {
    graceSeconds: config.TINK_ACTION_GRACE_SECONDS,
    cancelGraceSeconds: config.TINK_CANCEL_GRACE_SECONDS,
    delaySeconds: delaySecondsOf(config),
  };
  const values: readonly Value[] = [
    [EventStore, store],
    [ReadSide, reads],
    [Metrics, metrics],
    [Site, new Site(store, pki.ca, ports.version, readModels.fault)],
    [HardwareCommands, new HardwareCommands(store, reads)],
    [TemplateCommands, templates],
    [TemplateHistory, new TemplateHistory(store, reads, templates)],
    [TemplateTrial, new TemplateTrial(reads, planner)],
    [TemplateReplay, new TemplateReplay(store, reads, planner)],
    [WorkflowCommands, new WorkflowCommands(store, reads, planner, secrets)],
    [WorkflowData, data],
    [ActionLogs, logs],
    [MachineLogs, new MachineLogs(bus)],
    [AsOf, asOf],
    ...historyValues(store, reads, asOf, new PoolRoll(bus.connection)),
    ...leaseValues(reads, bus),
    [Explanations, new Explanations(reads, asOf, patience)],
    [Bundles, new Bundles(reads, logs, patience)],
    [Secrets, secrets],
    [AttemptSecrets, new AttemptSecrets(store, secrets)],
    [WorkerDesk, desk],
    [AuditExport, new AuditExport(store, beside, auditKey, ports.version, () => checkpoints.seen)],
    [WorkerAccess, new WorkerAccess(store)],
    [Permits, new Permits(store, reads, now)],
    [CompatGate, new CompatGate(compat)],
    [CompatWorker, new CompatWorker(store, reads, data, now)],
    [AgentDesk, new AgentDesk(store, reads, desk, now)],
    [Enrolment, new Enrolment(store, reads, credentials, { ...enrolmentOptions(config, pki.ca), now })],
  ];
  const providers = [...values, ...integrations.values].map(([provide, useValue]) => ({ provide, useValue }));
  return { reads, metrics, integrations, checkpoints, providers };
}

/** What is provided, by its class. */
type Value = readonly [abstract new (...args: never[]) => unknown, unknown];

function historyValues(store: EventStore, reads: ReadSide, asOf: AsOf, roll: PoolRoll): readonly Value[] {
  const leases = new LeaseHistory(store, reads, asOf);
  return [
    [Differences, new Differences(reads, asOf)],
    [BootHistory, new BootHistory(store, reads, asOf)],
    [LeaseHistory, leases],
    [LeasePools, new LeasePools(asOf, leases, roll)],
  ];
}

/** What is handed to the boots of a lease pool. */
function leaseValues(reads: ReadSide, { connection }: NatsBus): readonly Value[] {
  return [
    [LeaseImports, new LeaseImports(connection)],
    [LeaseEnding, new LeaseEnding(reads, new LeaseEnds(connection))],
  ];
}

function delaySecondsOf(config: TinkServerConfig): DelaySeconds {
  return { boot: config.TINK_BOOT_DELAY_SECONDS, worker: config.TINK_WORKER_DELAY_SECONDS };
}

function metricsOf(reads: ReadSide): Metrics {
  const metrics = new Metrics();
  metrics.gauge('tink_log_applied_position', 'Position of the log that the read models have reached', () =>
    reads.position(),
  );
  metrics.gauge('tink_workflows', 'Workflows, deleted ones included', () => reads.workflows.count());
  metrics.gauge('tink_hardware', 'Hardware records', () => reads.hardware.count());
  return metrics;
}

function auditCheckpoints(config: TinkServerConfig, { store, auditKey }: TinkServerPorts, metrics: Metrics) {
  const due = { commits: config.TINK_AUDIT_COMMITS, seconds: config.TINK_AUDIT_SECONDS };
  const memory = new LogMemory(join(config.TINK_DATA_DIR, 'audit-seen.json'));
  const checkpoints = new AuditCheckpointReactor(store, auditKey, due, memory);
  metrics.gauge(
    'tink_audit_covered_position',
    'Position of the log up to which it is signed',
    () => checkpoints.covered,
  );
  metrics.gauge('tink_audit_fault', '1 when the log is not what was signed or read before', () =>
    checkpoints.fault === undefined ? 0 : 1,
  );
  return checkpoints;
}

function ownRegistry(config: TinkServerConfig, ca: string) {
  return {
    address: config.TINK_REGISTRY_ADDRESS,
    username: config.TINK_REGISTRY_USERNAME,
    password: config.TINK_REGISTRY_PASSWORD,
    ca,
  };
}

function enrolmentOptions(config: TinkServerConfig, ca: string) {
  return {
    places: {
      4: { natsUrl: config.TINK_WORKER_NATS_URL, registry: config.TINK_REGISTRY_ADDRESS },
      6: {
        natsUrl: config.TINK_WORKER_NATS_URL6 || config.TINK_WORKER_NATS_URL,
        registry: config.TINK_REGISTRY_ADDRESS6 || config.TINK_REGISTRY_ADDRESS,
      },
    },
    ca,
    registry: {
      username: config.TINK_REGISTRY_USERNAME,
      password: config.TINK_REGISTRY_PASSWORD,
    },
    credentialSeconds: config.TINK_CREDENTIAL_SECONDS,
    tokenSeconds: config.TINK_TOKEN_SECONDS,
  };
}
