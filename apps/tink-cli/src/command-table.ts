import type { CliCommand } from './cli-command';
import { bootShow, bootTail } from './commands/boot.command';
import { bundle, bundleShow } from './commands/bundle.command';
import { auditLog } from './commands/audit-log.command';
import { auditExport, auditKey, auditVerify } from './commands/audit.command';
import { backup, restore } from './commands/backup.command';
import { complete, completion } from './commands/completion.command';
import { dhcpCheck } from './commands/dhcp-check.command';
import { diff } from './commands/diff.command';
import { docs } from './commands/docs.command';
import { events, eventsList } from './commands/events.command';
import { eventsSubscribe } from './commands/events-subscribe.command';
import { eventsWatch } from './commands/events-watch.command';
import { explain } from './commands/explain.command';
import {
  hardwareDelete,
  hardwareGet,
  hardwareId,
  hardwareIp,
  hardwareList,
  hardwareMac,
  hardwarePush,
} from './commands/hardware.command';
import { hardwareRescue } from './commands/hardware-rescue.command';
import { hardwareWatch } from './commands/hardware-watch.command';
import { leaseGet, leaseHistory, leaseList, leaseWhoHad } from './commands/lease.command';
import { leaseEnd } from './commands/lease-end.command';
import { leaseImport } from './commands/lease-import.command';
import { leasePools, leaseServers } from './commands/lease-pools.command';
import { readModelsList, readModelsRebuild } from './commands/read-models.command';
import { logs } from './commands/logs.command';
import { machineGet, machineList, machineLogs } from './commands/machine.command';
import { machineRecord } from './commands/machine-record.command';
import { up, version } from './commands/process.command';
import { replay } from './commands/replay.command';
import { secretDelete, secretList, secretSet } from './commands/secret.command';
import {
  subscriptionCreate,
  subscriptionDeadLetters,
  subscriptionDelete,
  subscriptionGet,
  subscriptionList,
  subscriptionRedeliver,
} from './commands/subscription.command';
import { templateCreate, templateDelete, templateGet, templateList, templateUpdate } from './commands/template.command';
import { templatePlan } from './commands/template-plan.command';
import { templateConvert, templateLint, templateRender, templateSchema } from './commands/template-text.command';
import { templateDiff, templateRestore, templateVersions } from './commands/template-versions.command';
import { workerToken } from './commands/worker.command';
import { workflowApprove, workflowReject, workflowResolve, workflowSkip } from './commands/workflow-action.command';
import { workflowCancel, workflowPause, workflowResume } from './commands/workflow-cancel.command';
import { workflowClone, workflowRetry } from './commands/workflow-repeat.command';
import { workflowEvents, workflowState } from './commands/workflow-state.command';
import { workflowWatch } from './commands/workflow-watch.command';
import { workflowCreate, workflowData, workflowDelete, workflowGet, workflowList } from './commands/workflow.command';

/** Every command. Help, completion and documentation are made from this list, in this order. */
export const commands: readonly CliCommand[] = [
  hardwarePush,
  hardwareList,
  hardwareGet,
  hardwareId,
  hardwareMac,
  hardwareIp,
  hardwareDelete,
  hardwareRescue,
  hardwareWatch,
  templateCreate,
  templateGet,
  templateList,
  templateUpdate,
  templateDelete,
  templateLint,
  templateRender,
  templatePlan,
  templateConvert,
  templateSchema,
  templateVersions,
  templateDiff,
  templateRestore,
  workflowCreate,
  workflowGet,
  workflowList,
  workflowState,
  workflowEvents,
  workflowData,
  workflowWatch,
  workflowCancel,
  workflowPause,
  workflowResume,
  workflowApprove,
  workflowReject,
  workflowSkip,
  workflowResolve,
  workflowRetry,
  workflowClone,
  workflowDelete,
  logs,
  events,
  eventsList,
  eventsWatch,
  eventsSubscribe,
  subscriptionCreate,
  subscriptionGet,
  subscriptionList,
  subscriptionDelete,
  subscriptionDeadLetters,
  subscriptionRedeliver,
  machineList,
  machineGet,
  machineLogs,
  machineRecord,
  bootShow,
  bootTail,
  leaseList,
  leaseGet,
  leaseHistory,
  leaseWhoHad,
  leasePools,
  leaseServers,
  leaseImport,
  leaseEnd,
  dhcpCheck,
  readModelsList,
  readModelsRebuild,
  workerToken,
  explain,
  diff,
  replay,
  bundle,
  bundleShow,
  secretSet,
  secretList,
  secretDelete,
  auditVerify,
  auditLog,
  auditKey,
  auditExport,
  backup,
  restore,
  up,
  version,
  completion,
  complete,
  docs,
];
