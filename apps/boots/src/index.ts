export { BootsConfig } from './boots.config';
export { silentLogger, streamLogger } from './logger';
export type { Logger } from './logger';
export type { Metrics } from './metrics';
export { RouterAdvertisementError } from './ra/radvd';
export { BusMachineLog } from './syslog/bus-machine-log';
export { MachineLog } from './syslog/machine-log';
export { startBoots } from './start-boots';
export type { BootsPorts, RunningBoots } from './start-boots';
