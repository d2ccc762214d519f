export { SourceHealth } from './health';
export { HegelConfig } from './hegel.config';
export type { HegelPorts } from './hegel-ports';
export { startHegel } from './start-hegel';
export type { RunningHegel } from './start-hegel';
