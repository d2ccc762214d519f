export { startTinkServer } from './start-tink-server';
export type { Bound, RunningTinkServer } from './start-tink-server';
export { TinkServerConfig } from './tink-server.config';
export type { TinkServerPorts } from './ports';
export { openTinkReadModels } from './projected-reads';
export type { TinkReadModels } from './projected-reads';
export type { WorkerCredentials } from './enrolment/enrolment';
export { unseal } from './secrets/seal';
export { pairOf } from './tls/served-certificate';
