// What checks a log and its exports, for processes that have neither NATS nor SQLite.
export { AuditKeyError, keyIdOf, publicKeysIn, signCheckpoint, TrustedKeys } from './checkpoint';
export type { Checkpoint, Signer, TrustedKey } from './checkpoint';
export { emptyLogHash, leafOf, roll, sha256Of } from './log-hash';
export { linesOf } from './lines';
export { keptOf, LogFileError, parseLine } from './log-file';
export type { BodyLine, CommitLine, EndLine, HeaderLine, LogLine, SealedLine } from './log-file';
export { DamagedFileError, readUnpacked } from './packed-file';
export { logFileLines } from './write-file';
export type { LogFileSource } from './write-file';
export { FileVerifier } from './verify-file';
export type { FileReport } from './verify-file';
export { LogVerifier, UnknownCheckpointError } from './verify-log';
export type { LogMark, LogVerifierOptions } from './verify-log';
export type { AuditReport, Finding, FindingKind } from './report';
export { bodyOf } from './referred-bodies';
