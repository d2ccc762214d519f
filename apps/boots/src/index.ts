export { BootsConfig } from './boots.config';
export { silentLogger, streamLogger } from './logger';
export type { Logger } from './logger';
export type { Metrics } from './metrics';
export { RouterAdvertisementError } from './ra/radvd';
export { respond } from './dhcp/dhcp.responder';
export type { DhcpContext } from './dhcp/decision';
export { startBoots } from './start-boots';
export type { BootsPorts, RunningBoots } from './start-boots';
