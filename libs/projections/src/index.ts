export type { Projection, QueueEntry } from './projection';
export type {
  ActionRow,
  ActionStatus,
  BootStep,
  BootStepRow,
  DhcpServerRow,
  HandlerRow,
  HardwareRow,
  LeaseRow,
  MachineRow,
  PoolRow,
  SecretRow,
  TemplateRow,
  WorkflowDataRow,
  WorkflowEventRow,
  WorkflowRow,
  WorkflowStatus,
} from './rows';
export { hardwareList } from './hardware-list.projection';
export { secretList } from './secret-list.projection';
export { templateList } from './template-list.projection';
export { workflowList } from './workflow-list.projection';
export { leaseList } from './lease-list.projection';
export { poolList } from './pool-list.projection';
export { dhcpServerList } from './dhcp-server-list.projection';
export { poolCounts } from './pool-counts';
export type { PoolCounts } from './pool-counts';
export { isHome, machineList } from './machine-list.projection';
export type { MachineEvent } from './machine-list.projection';
export { mayNetboot } from './may-netboot';
export type { NetbootVerdict } from './may-netboot';
export { progressPercent, wireStates, workflowState } from './workflow-state';
export type { WorkflowStateView } from './workflow-state';
export {
  idleReason,
  machinesHeld,
  placeAmong,
  queuePlace,
  standingOf,
  waitOf,
  workersOf,
  workOrder,
} from './work-order';
export type { PlaceAt, QueuePlace, Standing, Wait } from './work-order';
export { comingDelays, startLimitOf } from './delays';
export type { Delay, DelaySeconds, MachineOf } from './delays';
export { failureOf, namesIn, originText, shortNames, tryText, workflowNotes } from './workflow-notes';
export type { WorkflowNote } from './workflow-notes';
export { workflowTemplate } from './workflow-template';
export type { WorkflowTemplate } from './workflow-template';
export { addDuration, usualOf } from './durations';
export type { DurationRow, Measure, Usual } from './durations';
export { bootSteps, durationKeys, machineMeasures, workflowMeasures } from './measures';
export type { Measures, TimedAction } from './measures';
export { subscriptionList } from './subscription-list.projection';
export type { DeadLetterRow, SubscriptionRow } from './subscription-list.projection';
