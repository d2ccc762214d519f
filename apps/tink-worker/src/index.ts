export { startTinkWorker } from './start';
export type { RunningWorker, TinkWorkerPorts } from './start';
export { TinkWorkerConfig } from './worker.config';
export { Containers } from './containers/containers';
export type { ContainerSpec, ContainerStatus, OutputSink, RegistryAuth } from './containers/containers';
export { ConsoleLog, WorkerLog } from './worker-log';
export type { Pace } from './pace';
export { startDockerd } from './testing/start-dockerd';
export type { TestDockerd } from './testing/start-dockerd';
