export {
  CommandIdReusedError,
  CommitTooLargeError,
  ConcurrencyError,
  emptyHead,
  EventStore,
  IntegrityError,
  StoreUnavailableError,
} from './event-store';
export { UnknownEventError } from '@tinkerbell/events';
export type { Appended, Commit, History, StreamHead, SubscribeOptions } from './event-store';
export { current, recent, rememberCommits } from './current';
export { handle } from './handle';
export type { Handled, Prepare } from './handle';
export type { Changes, Entry, ListOptions, Place, ReadModel, ReadModelStatus, StoredRows } from './read-model';
export type { RowHistory } from './row-history';
export { InMemoryEventStore } from './in-memory';
export { encodeCommit, hashOf, parseCommit } from './envelope';
export type { Kept, StoredMessage } from './envelope';
export { openReadModels } from './projector';
export type { ReadModelOptions, ReadModels } from './projector';
export { JetStreamEventStore } from './jetstream';
export type { JetStreamOptions } from './jetstream';
export { RestoreError, restoreCommits } from './jetstream-restore';
export { StoreUnsuitableError } from './jetstream-gate';
export type { Durability, GateOptions, StoreFacts } from './jetstream-gate';
export { HashWindow } from './audit/hash-window';
export {
  AuditKeyError,
  DamagedFileError,
  emptyLogHash,
  FileVerifier,
  keyIdOf,
  leafOf,
  linesOf,
  LogFileError,
  logFileLines,
  LogVerifier,
  keptOf,
  parseLine,
  publicKeysIn,
  readUnpacked,
  roll,
  sha256Of,
  signCheckpoint,
  TrustedKeys,
} from './audit';
export type { AuditReport, Checkpoint, FileReport, Finding, LogLine, LogMark, SealedLine, TrustedKey } from './audit';
