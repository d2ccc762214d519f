export {
  defaultTenant,
  isSubjectToken,
  parseLogSubject,
  isStream,
  parseStream,
  parseWorkerSubject,
  SubjectTokenError,
  subjects,
  workerPermissions,
} from './subjects';
export type { ReportKind, RpcCall } from './subjects';
export { isDeeper, maxOutputsBytes, maxOutputsDepth, reportId } from './worker-protocol';
export type {
  Assignment,
  AttemptRef,
  DataGetReply,
  DataGetRequest,
  DataPutReply,
  DataPutRequest,
  EnrolReply,
  EnrolRequest,
  FinishedReport,
  HandlerReport,
  LogLine,
  MachineLine,
  NextReply,
  NextRequest,
  PermitReply,
  PermitRequest,
  ReadyReport,
  RpcReply,
  SecretsReply,
  SecretsRequest,
  StartedReport,
  StateReply,
  StateRequest,
} from './worker-protocol';
export { dataBucket, leaseBucket, secretsBucket, streamNames, webhookSecretsBucket } from './nats-names';
export { durableName, PublishConflictError, PublishedStream } from './nats-published';
export type {
  PeekedMessage,
  Delivery,
  DurableSpec,
  DurableState,
  PublicMessage,
  PublishedHead,
} from './nats-published';
export { NatsBus } from './nats-bus';
export type { LoggedLine, LoggedMachineLine, LogQuery, Report, Stored } from './nats-bus';
export { BusForbiddenError, BusUnavailableError, connectNats } from './nats-connect';
export type { BusOptions } from './nats-connect';
export { PoolRoll } from './nats-roll';
export type { PoolMember } from './nats-roll';
export { LeaseImports, maxImported } from './nats-imports';
export type { ForeignLease, ImportAnswer, ImportedOne, ImportRequest, PassedOverReason } from './nats-imports';
export { LeaseEnds } from './nats-ends';
export type { EndAnswer, EndedOne, EndRequest, SeenOne } from './nats-ends';
export { Leadership } from './nats-leadership';
export type { Candidacy, LeadershipOptions, Lease } from './nats-leadership';
export { type OrderedMessage, readOrdered } from './nats-ordered';
export { Answers, type Question } from './nats-answers';
export { type Guard, type PublishAck, StreamPublisher } from './nats-publish';
export { ReportsTakenOverError } from './nats-reports';
export { InMemorySecretBucket, NatsSecretBucket, SecretBucket } from './nats-secrets';
export { BlobDamagedError, Blobs, InMemoryBlobs, NatsBlobs } from './nats-blobs';
export { pause } from './pause';
