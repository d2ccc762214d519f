export type { Catalogue, Event, Json, JsonObject, Metadata, Recorded, Upcaster } from './event';
export { aggregates, catalogue } from './catalogue';
export type { Aggregate, AnyEvent } from './catalogue';
export { decodeEvent, MalformedEventError, UnknownEventError } from './decode';
export type {
  HardwareDeleted,
  HardwareDhcp,
  HardwareDhcp6Option,
  HardwareDhcpOption,
  HardwareEvent,
  HardwareInterface,
  HardwareIp,
  HardwareNetboot,
  HardwareRecord,
  HardwareRegistered,
  HardwareUpdated,
} from './hardware.events';
export type { SecretDeleted, SecretEvent, SecretSet } from './secret.events';
export type { TemplateCreated, TemplateDeleted, TemplateEvent, TemplateUpdated } from './template.events';
export type {
  ActionApprovalRequested,
  ActionApproved,
  ActionAttemptFailed,
  ActionCancelled,
  ActionFailed,
  ActionHandlerFinished,
  ActionInherited,
  ActionOutcomeResolved,
  ActionOutcomeUnknown,
  ActionPermitGranted,
  ActionPlan,
  ActionRejected,
  ActionSkipped,
  ActionSpec,
  ActionStarted,
  ActionSucceeded,
  ActionTimedOut,
  FailureReason,
  OnReboot,
  PlannedAction,
  ReportRefused,
  RetryPolicy,
  WorkflowCancelRequested,
  WorkflowCreated,
  WorkflowDataUpdated,
  MachinesTaken,
  WorkflowDelayed,
  WorkflowDeleted,
  WorkflowEvent,
  WorkflowFinished,
  WorkflowPaused,
  WorkflowResumed,
  WorkflowTimedOut,
} from './workflow.events';
export type { DhcpServerFound, DhcpServiceEvent, PoolTaken } from './dhcp-service.events';
export type {
  LeaseBound,
  LeaseClient,
  LeaseConflictFound,
  LeaseDeclined,
  LeaseEnded,
  LeaseEvent,
  LeaseExpired,
  LeaseHolder,
  LeaseRefused,
  LeaseRelayed,
  LeaseReleased,
  LeaseRenewed,
  PoolDefined,
  PoolDropped,
  PoolUtilisationCrossed,
  QuarantineEnded,
  ServerNamed,
} from './lease.events';
export type {
  BootEvent,
  BootFileRole,
  BootFileServed,
  BootScript,
  BootScriptFormat,
  BootScriptServed,
  BootRequestFailed,
  MachinePhonedHome,
  Inventory,
  MachineDiscovered,
  NetbootOffered,
  OsieStarted,
} from './boot.events';
export type { ClaimEvent, ClaimKind, ClaimTaken } from './claim.events';
export type {
  EnrolmentEvent,
  EnrolmentTokenIssued,
  WorkerCredentialRenewed,
  WorkerEnrolled,
  WorkerReady,
} from './enrolment.events';
export type {
  DeadLetterRedelivered,
  DeliveryFailed,
  SubscriptionChanged,
  SubscriptionCreated,
  SubscriptionDeleted,
  SubscriptionDisabled,
  SubscriptionEnabled,
  SubscriptionEvent,
  SubscriptionSpec,
} from './subscription.events';
export type { AuditCheckpointed, AuditEvent } from './audit.events';
