import type { CliCommand } from './cli-command';
import { bundle, bundleShow } from './commands/bundle.command';
import { complete, completion } from './commands/completion.command';
import { diff } from './commands/diff.command';
import { docs } from './commands/docs.command';
import { events, eventsList } from './commands/events.command';
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
import { hardwareWatch } from './commands/hardware-watch.command';
import { leaseList } from './commands/lease.command';
import { logs } from './commands/logs.command';
import { machineGet, machineList } from './commands/machine.command';
import { up, version } from './commands/process.command';
import { replay } from './commands/replay.command';
import { templateCreate, templateDelete, templateGet, templateList, templateUpdate } from './commands/template.command';
import { workerToken } from './commands/worker.command';
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
  hardwareWatch,
  templateCreate,
  templateGet,
  templateList,
  templateUpdate,
  templateDelete,
  workflowCreate,
  workflowGet,
  workflowList,
  workflowState,
  workflowEvents,
  workflowData,
  workflowWatch,
  workflowDelete,
  logs,
  events,
  eventsList,
  eventsWatch,
  machineList,
  machineGet,
  leaseList,
  workerToken,
  explain,
  diff,
  replay,
  bundle,
  bundleShow,
  up,
  version,
  completion,
  complete,
  docs,
];
