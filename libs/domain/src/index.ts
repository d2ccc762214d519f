export { assertNever, fold } from './decider';
export type { Decider } from './decider';
export {
  ConflictError,
  DomainError,
  faultText,
  ForbiddenError,
  IllegalTransitionError,
  NotYetError,
  InvalidDocumentError,
  InvalidError,
  NotFoundError,
  TokenExpiredError,
} from './errors';
export type { Fault } from './errors';
export { sameJson } from './same-json';
export { formatMac, parseMac } from './address/mac';
export { parseIp, parseIpv4, parseIpv6, prefixLength } from '@tinkerbell/bytes';
export { hardwareDecider } from './hardware/hardware.decider';
export type { HardwareCommand, HardwareState } from './hardware/hardware.decider';
export { hardwareConflict, hardwareConflicts, hardwareKeys } from './hardware/hardware-conflicts';
export type { FindHardware, HardwareKey } from './hardware/hardware-conflicts';
export {
  maxTemplateBytes,
  templateDecider,
  templateNameConflict,
  templateNameTaken,
} from './template/template.decider';
export type { TemplateCommand, TemplateState } from './template/template.decider';
export { secretsOf } from './workflow/secret-rules';
export { isSecretName, secretDecider } from './secret/secret.decider';
export type { SecretCommand, SecretState } from './secret/secret.decider';
export { workflowDecider } from './workflow/workflow.decider';
export type { CreateWorkflow, FinishAction, OperatorCommand, WorkflowCommand } from './workflow/workflow-commands';
export { currentIndex, isTerminal } from './workflow/workflow-state';
export type { ActionState, ExistingWorkflow, Permit, RunningAction, WorkflowState } from './workflow/workflow-state';
export { ancestorsOf, endingOf, hasEnded, outlooks } from './workflow/graph';
export type { ActionStatus, FinalStatus, Outlook, WorkflowStatus } from './workflow/graph';
export { evaluate, maxExpressionLength, parseExpression, referencesOf } from './workflow/expression';
export type { Expression, ExpressionScope } from './workflow/expression';
export { ExpressionError } from './workflow/expression-lexer';
export { fillIn, scopeOf } from './workflow/settle';
export { handlerOf, mayStart } from './workflow/action-rules';
export { keepsMachine, machinesOf } from './workflow/machine-rules';
export { maxDataBytes } from './workflow/data-rules';
export { nextAssignment } from './workflow/next-assignment';
export type { Asking, NextStep } from './workflow/next-assignment';
export { addressesOf, holder6Of, isFree6, lease6Decider } from './lease/lease6.decider';
export { Lease6Books, type Pool6, type Usage6 } from './lease/lease6-books';
export type { Holder6, Lease6, Lease6Command, Lease6State } from './lease/lease6.decider';
export { poolDecider, serverProbeMac, type PoolCommand, type PoolState } from './lease/pool.decider';
export { pool6Saving } from './lease/pool6-snapshot';
export { poolSaving } from './lease/pool-snapshot';
export type { PoolSaving } from './lease/pool-snapshot';
export { Decliners, mostDeclined } from './lease/decliners';
export { NotLeasedError } from './lease/end-lease';
export type { EndLease, SeenLease } from './lease/end-lease';
export { foreverSeconds, isForGood } from './lease/import-lease';
export type { ImportedLease } from './lease/import-lease';
export { AddressPools, formerOf, seekerKey } from './lease/address-pools';
export { numberOf, textOf } from './lease/ipv4';
export type { Instant, PoolUsage, Seeker } from './lease/address-pools';
export type { AddressRange, PoolSpec } from './lease/pool-addresses';
export {
  activeLease,
  clientKey,
  decideLeases,
  isFree,
  isLeaseOf,
  lastLease,
  leaseDecider,
  leaseOfIp,
} from './lease/lease.decider';
export type {
  BindLease,
  Lease,
  LeaseCommand,
  LeaseDecisions,
  LeaseOutcome,
  LeaseState,
  SingleLeaseCommand,
} from './lease/lease.decider';
export { bootDecider, refusalOf } from './boot/boot.decider';
export { parseInventory } from './boot/parse-inventory';
export type { BootCommand, BootState, ScriptTicket } from './boot/boot.decider';
export { bootTokens, tokenExpiry } from './boot/boot-tokens';
export type { BootToken } from './boot/boot-tokens';
export { claimDecider } from './claim/claim.decider';
export type { ClaimCommand, ClaimState, TakeClaim } from './claim/claim.decider';
export { enrolmentDecider } from './enrolment/enrolment.decider';
export type { EnrolmentCommand, EnrolmentState, EnrolWorker } from './enrolment/enrolment.decider';
export { nearest } from './nearest';
export { parseHardware } from './hardware/parse-hardware';
export { presentHardware } from './hardware/present-hardware';
export type { PresentedHardware } from './hardware/present-hardware';
export { subscriptionDecider } from './subscription/subscription.decider';
export type { SubscriptionCommand, SubscriptionState } from './subscription/subscription.decider';
export { isObject, JsonReader } from './json-reader';
export { readDhcpOptions } from './hardware/read-dhcp-options';
export { readDhcp6Options, readTimeServer } from './hardware/read-dhcp6-options';
export { readDomain } from './hardware/dhcp-option-rules';
export { addSeconds } from './time';
