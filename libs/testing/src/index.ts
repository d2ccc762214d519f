export { specify } from './specify';
export type { Outcome } from './specify';
export {
  hardwareDeleted,
  hardwareId,
  hardwareInterface,
  hardwareRecord,
  hardwareRegistered,
  hardwareUpdated,
} from './builders/hardware';
export { templateCreated, templateDeleted, templateText, templateUpdated } from './builders/template';
export {
  actionAttemptFailed,
  actionCancelled,
  actionFailed,
  actionHandlerFinished,
  actionSpec,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  graph,
  planned,
  templateId,
  workflowCreated,
  workflowDataUpdated,
  workflowDeleted,
  workflowFinished,
  workflowTimedOut,
} from './builders/workflow';
export {
  bootFileServed,
  actionImageServed,
  bootScriptServed,
  bootWays,
  wholeBoot,
  enrolmentTokenIssued,
  leaseBound,
  leaseEnded,
  leaseReleased,
  leaseRenewed,
  machineMac,
  bootRequestFailed,
  machinePhonedHome,
  netbootOffered,
  osieStarted,
  workerCredentialRenewed,
  workerEnrolled,
  workerReady,
} from './builders/boot';
export { recorded } from './builders/recorded';
export { captures, captures6, readCapture, readCapture6 } from './read-capture';
