export { ConfigError, loadConfig } from './load-config';
export { logLine } from './log-line';
